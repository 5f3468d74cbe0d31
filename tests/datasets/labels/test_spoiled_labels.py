"""Small good files of every format, spoiled by chance: they are read, or it is said why not."""
import json
import random

import pytest
import test_boris
import test_cvat
import test_elan
import test_label_studio
import test_via

from cltdr_mm.datasets import TALDataError, load_annotations
from cltdr_mm.datasets.labels import read_labels, save_labels

TRIALS = 200
VALUES = (None, [], {}, [1], 'x', '', ' ', True, -1, 0, 1.5, 1e300, 10**400, float('nan'), 'nan',
          '\ud800', 'a\0b', [[1, 2]], dict(a=1), 'run')
TEXTS = ('', ' ', 'x', '-1', '1e999', '9' * 400, '"', ',', ':', '<', '&', '>', '\0', 'é', '\n', '/',
         '../', '0')
FILES = {
    'a.csv': 'video,start,end,label,fps,subset\na,1,2.5,run,25,x\nb/c.mp4,0:01,0:02,sit,,y\n',
    'f.csv': 'video;start_frame;end_frame;label\na;1;25;run\nb;"3";40;sit\n',
    'a.json': dict(database=dict(a=dict(subset='x', duration='9', fps=5, annotations=[
        dict(segment=[1, 2.5], label='run')]), b=dict(subset='y', duration=3.5))),
    'a.eaf': test_elan.eaf(), 'v.json': test_via.PROJECT,
    'l.json': [test_label_studio.task(test_label_studio.timeline((1, 25))),
               test_label_studio.task(test_label_studio.spans(1, 2, 'run'), video='b.mp4')],
    'c.xml': test_cvat.cvat(test_cvat.track('run', (1, 0), (9, 1)), test_cvat.image(3, 'sit')),
    'b.tsv': test_boris.table(test_boris.TABULAR, test_boris.event('START', 1),
                              test_boris.event('STOP', 2)),
    'g.tsv': test_boris.table(test_boris.AGGREGATED, test_boris.state(1, 2))}


def places(value):
    """Every container of a JSON value with every key or position in it."""
    for key, inner in list(value.items() if isinstance(value, dict) else enumerate(value)):
        yield value, key
        if isinstance(inner, (dict, list)):
            yield from places(inner)


def spoil(content, chance):
    if not isinstance(content, str):
        content = json.loads(json.dumps(content))
        holder, key = chance.choice(list(places(content)))
        if chance.random() < 0.3:
            del holder[key]
        else:
            holder[key] = chance.choice(VALUES)
        return json.dumps(content).encode()
    for _ in range(chance.randrange(1, 3)):
        begin = chance.randrange(len(content))
        end = begin + chance.choice((0, 0, 1, 1, 5, 40))
        content = content[:begin] + chance.choice(TEXTS) + content[end:]
    return content.encode()


@pytest.mark.parametrize('name', FILES)
def test_spoiled(files, name):
    options = dict(duration=100.0, fps=25.0)
    assert read_labels(files.write(name, FILES[name]), **options).rows
    chance, refused = random.Random(name), 0
    for _ in range(TRIALS):
        try:
            labels = read_labels(files.write(name, spoil(FILES[name], chance)), **options)
        except TALDataError as error:
            refused += 1
            assert error.problems and all(problem.file for problem in error.problems)
            continue
        for row in labels.rows:
            assert row.label.strip() and -0.1 <= row.start < row.end
            assert row.end <= labels.videos[row.video].duration + 0.1
        out = files.folder / 'out' / 'a.json'
        save_labels(out, labels, {video: 'x' for video in labels.videos})
        assert load_annotations(str(out))[1] == []
    assert refused > TRIALS / 20
