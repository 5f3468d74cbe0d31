"""Small good inputs of every converter, spoiled by chance: it works, or it says why not in a line.

Whatever is wrong, the error is one of bad data, and no file is left behind.
"""
import json
import random
import shutil

import numpy as np
import pytest

from cltdr_mm.datasets import TALDataError
from cltdr_mm.datasets.annotations import load_annotations
from cltdr_mm.datasets.converters.activitynet import (
    convert_activitynet,
    convert_fineaction,
    convert_hacs,
)
from cltdr_mm.datasets.converters.charades import convert_charades
from cltdr_mm.datasets.converters.ego4d import convert_ego4d_mq
from cltdr_mm.datasets.converters.epic import convert_epic100, convert_epic_sounds
from cltdr_mm.datasets.converters.hapt import convert_hapt
from cltdr_mm.datasets.converters.synthetic import SyntheticSpec, make_features_for
from cltdr_mm.datasets.converters.thumos import convert_multithumos, convert_thumos14

TRIALS = 250
VALUES = (None, [], {}, [1], 'x', '', ' ', True, False, -1, 0, 1.5, 3, 1e300, 10**400, float('nan'),
          float('inf'), 'nan', '1e999', '\ud800', 'a\0b', [[1, 2]], dict(a=1))
CELLS = ('', ' ', 'x', 'nan', 'inf', '-1', '1e999', '9' * 400, 'True', '"', '1,2', '::', '\0', 'é')


def database(**more):
    return {f'v{i}': dict(subset=('Test', 'Validation')[i], duration=20.0 + i, fps=30.0,
                          annotations=[dict(segment=[1, 4.5], label='Diving', label_id=7),
                                       dict(segment=[6.0, 9], label='Shotput', label_id=15)],
                          **more) for i in range(2)}


def thumos_json(folder):
    (folder / 'a.json').write_text(json.dumps(dict(version='1', database=database())))
    return lambda s, out: convert_thumos14(f'{s}/a.json', f'{out}/a.json')


def thumos_text(folder):
    (folder / 'text').mkdir()
    (folder / 'text' / 'Diving_val.txt').write_text('v1 1.0 2.5\nv1 3 4\n')
    (folder / 'text' / 'Shotput_test.txt').write_text('v2 1.0 2.5\n')
    (folder / 'info.csv').write_text('video,duration,fps\nv1,10,30\nv2,12.5,25\n')
    return lambda s, out: convert_thumos14(f'{s}/text', f'{out}/a.json', f'{s}/info.csv')


def multithumos(folder):
    videos = {f'v{i}': dict(subset=s, duration=20.0, actions=[[8, 1.0, 4], [21, 2, 3.5]])
              for i, s in enumerate(('training', 'testing'))}
    (folder / 'm.json').write_text(json.dumps(videos))
    (folder / 't.json').write_text(json.dumps(dict(database=database())))
    (folder / 'names.txt').write_text(''.join(f'{i} Name{i}\n' for i in range(1, 66)))
    return lambda s, out: convert_multithumos(f'{s}/m.json', f'{out}/a.json', f'{s}/t.json',
                                              f'{s}/names.txt')


def activitynet(folder):
    videos = {f'v_{i}': dict(duration_second=20.0, annotations=[
        dict(segment=[1.0, 4], label='Archery'), dict(segment=[2, 2], label='Zumba')])
        for i in range(2)}
    (folder / 'a.json').write_text(json.dumps(videos))
    (folder / 'i.csv').write_text('video,subset,rfps\nv_0,training,30\nv_1,validation,25.5\n')
    return lambda s, out: convert_activitynet(f'{s}/a.json', f'{s}/i.csv', f'{out}/a.json')


def hacs(folder):
    videos = {f'v{i}': dict(subset='training', duration=20.0, annotations=[
        dict(segment=['1.0', '4'], label='Archery'), dict(segment=[2, 3], label='Zumba')])
        for i in range(2)}
    (folder / 'a.json').write_text(json.dumps(dict(database=videos)))
    return lambda s, out: convert_hacs(f'{s}/a.json', f'{out}/a.json')


def epic(folder):
    (folder / 'i.csv').write_text('video_id,duration,fps\nP01,100,50\nP02,90.5,60\n')
    head = 'video_id,start_timestamp,stop_timestamp,verb_class\n'
    (folder / 't.csv').write_text(head + 'P01,00:00:01.5,00:00:03,3\nP01,0:0:5,0:1:2,4\n')
    (folder / 'v.csv').write_text(head + 'P02,00:00:01.5,00:00:03,3\n')
    return lambda s, out: convert_epic100('verb', f'{s}/i.csv', f'{out}/a.json', f'{s}/t.csv',
                                          f'{s}/v.csv')


def charades_csv(folder):
    head = 'id,actions,length\n'
    (folder / 'train.csv').write_text(head + 'A,c092 11.90 20.20;c147 0.00 12.60,20.00\nB,,9\n')
    (folder / 'test.csv').write_text(head + 'C,c000 1 5,9.5\nD,c001 2 3;c002 1 2,9.5\n')
    (folder / 'names.txt').write_text(''.join(f'c{i:03d} Name{i}\n' for i in range(157)))
    return lambda s, out: convert_charades(f'{out}/a.json', f'{s}/train.csv', f'{s}/test.csv',
                                           class_list=f'{s}/names.txt', skip_inverted=True)


def charades_json(folder):
    videos = {f'v{i}': dict(subset=s, duration=20.0, actions=[[8, 1.0, 4], [156, 2, 3.5]])
              for i, s in enumerate(('training', 'testing'))}
    (folder / 'c.json').write_text(json.dumps(videos))
    return lambda s, out: convert_charades(f'{out}/a.json', source=f'{s}/c.json')


def ego4d(folder):
    labels = [dict(label='use_phone', primary=bool(i % 2), video_start_time=101.0 + i,
                   video_end_time=103.5 + i) for i in range(3)]
    for split in ('train', 'val'):
        (folder / f'{split}.json').write_text(json.dumps(dict(version='1', videos=[dict(
            video_uid='v', split=split, clips=[dict(
                clip_uid=split, video_start_sec=100.0, video_end_sec=120, video_start_frame=3000,
                video_end_frame=3600, annotations=[dict(labels=labels)])])])))
    return lambda s, out: convert_ego4d_mq([f'{s}/train.json', f'{s}/val.json'], f'{out}/a.json')


def fineaction(folder):
    (folder / 'a.json').write_text(json.dumps(dict(database=database())))
    return lambda s, out: convert_fineaction(f'{s}/a.json', f'{out}/a.json', ['v1'])


def epic_sounds(folder):
    (folder / 'i.csv').write_text('video_id,duration,fps\nP01,100,50\nP02,90.5,60\nP3,9,50\n')
    head = 'video_id,start_timestamp,stop_timestamp,class,class_id\n'
    (folder / 't.csv').write_text(head + 'P01,00:00:01.5,00:00:03,rustle,4\n'
                                  'P01,0:0:5,0:1:2,cut / chop,2\n')
    (folder / 'v.csv').write_text(head + 'P02,00:00:01.5,00:00:03,rustle,4\n')
    (folder / 'x.csv').write_text('video_id\nP3\n')
    return lambda s, out: convert_epic_sounds(f'{out}/a.json', f'{s}/i.csv', f'{s}/t.csv',
                                              f'{s}/v.csv', f'{s}/x.csv')


def hapt(folder):
    (folder / 'RawData').mkdir()
    for name, n in (('exp01_user01', 60), ('exp03_user02', 75)):
        np.savetxt(folder / 'RawData' / f'acc_{name}.txt', np.arange(3. * n).reshape(n, 3), '%.3f')
    (folder / 'RawData' / 'labels.txt').write_text('1 1 2 5 50\n3 2 1 1 70\n3 2 2 20 21\n')
    (folder / 'activity_labels.txt').write_text('1 WALKING \n2 SITTING \n')
    return lambda s, out: convert_hapt(str(s), out, partial=True)


def synthetic(folder):
    (folder / 'a.json').write_text(json.dumps(dict(classes=['Diving', 'Shotput'], database={
        name: dict(entry, annotations=[dict(a, label_id=i)
                                       for i, a in enumerate(entry['annotations'])])
        for name, entry in database().items()})))
    return lambda s, out: make_features_for(f'{s}/a.json', out,
                                            SyntheticSpec(num_classes=2, channels=3))


def places(value):
    """Every container of a JSON value with every key or position in it."""
    items = list(value.items() if isinstance(value, dict) else enumerate(value))
    for key, inner in items:
        yield value, key
        if isinstance(inner, (dict, list)):
            yield from places(inner)


def spoil_json(text, chance):
    content = json.loads(text)
    holder, key = chance.choice(list(places(content)))
    if chance.random() < 0.3:
        del holder[key]
    elif isinstance(holder, dict) and chance.random() < 0.1:
        holder[chance.choice(('../x', 'a\\b', '', 'é', key * 2))] = holder.pop(key)
    else:
        holder[key] = chance.choice(VALUES)
    return json.dumps(content)


def spoil_text(text, chance):
    lines = text.splitlines()
    number = chance.randrange(len(lines))
    mark = ',' if ',' in lines[number] else ' '
    cells = lines[number].split(mark)
    place = chance.randrange(len(cells))
    kind = chance.randrange(5)
    if kind == 0:
        del lines[number]
    elif kind == 1:
        del cells[place]
    elif kind == 2:
        cells.insert(place, chance.choice(CELLS))
    elif kind == 3:
        lines.insert(number, lines[number])
    else:
        cells[place] = chance.choice(CELLS)
    if 1 <= kind <= 4 and kind != 3:
        lines[number] = mark.join(cells)
    return '\n'.join(lines) + '\n'


def spoil(folder, chance):
    path = chance.choice(sorted(p for p in folder.rglob('*') if p.is_file()))
    data = path.read_bytes()
    kind = chance.random()
    if kind < 0.03:
        path.unlink()
    elif kind < 0.06:
        path.write_bytes(b'')
    elif kind < 0.12:
        path.write_bytes(data[:chance.randrange(len(data))])
    elif kind < 0.15:
        path.write_bytes(data + b'\xff\xfe')
    else:
        change = spoil_json if path.suffix == '.json' else spoil_text
        path.write_text(change(data.decode(), chance), errors='surrogatepass')


def files(folder):
    return {path for path in folder.rglob('*') if path.is_file()}


def strict(constant):
    raise ValueError(f'{constant} is no JSON')


@pytest.mark.parametrize('make', [thumos_json, thumos_text, multithumos, activitynet, hacs, epic,
                                  charades_csv, charades_json, ego4d, fineaction, epic_sounds,
                                  hapt, synthetic])
def test_works_or_says_why(tmp_path, make):
    whole = tmp_path / 'whole'
    whole.mkdir()
    convert = make(whole)
    convert(whole, str(tmp_path / 'good'))
    outcomes = []
    for trial in range(TRIALS):
        chance = random.Random(trial)
        root = tmp_path / str(trial)
        source, out = root / 'in', root / 'out'
        shutil.copytree(whole, source)
        spoil(source, chance)
        before = files(root)
        try:
            convert(source, str(out))
        except TALDataError as error:
            assert error.problems and '\n' not in str(error.problems[0])
            assert error.problems[0].file
            assert files(root) == before, f'trial {trial} leaves files'
            outcomes.append(False)
        else:
            path = next(p for p in out.rglob('*.json'))
            content = json.loads(path.read_text(), parse_constant=strict)
            _, problems, _ = load_annotations(
                str(path), duration_tolerance=8., default_fps=1., require_annotations=False)
            assert not problems and content['database']
            assert files(root) - files(out) == before, f'trial {trial} writes elsewhere'
            outcomes.append(True)
        shutil.rmtree(root)
    assert sorted(p.name for p in tmp_path.iterdir()) == ['good', 'whole'], 'nothing outside'
    assert outcomes.count(False) > TRIALS / 10 and any(outcomes)

