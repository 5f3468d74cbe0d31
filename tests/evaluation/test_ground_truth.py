import hashlib
import json

import numpy as np
import pytest

from cltdr_mm.datasets import TALDataError
from cltdr_mm.evaluation import PROTOCOLS, get_protocol, load_ground_truth
from cltdr_mm.evaluation.functional import fingerprint, fingerprint_line
from cltdr_mm.evaluation.protocols import tiou_range


def test_read(ann_file):
    truth = load_ground_truth(ann_file, 'test')
    assert truth.classes == ('sit', 'run', 'jump')  # by label_id
    assert truth.label_ids == {2: 0, 5: 1, 9: 2}
    assert truth.video_names == ('one', 'two') and truth.subset == 'Test'
    assert truth.labels.tolist() == [1, 0, 1] and truth.videos.tolist() == [0, 0, 1]
    assert truth.merged == 1 and truth.durations.tolist() == [60., 40.]
    assert truth.present.tolist() == [True, True, False]
    with open(ann_file, 'rb') as file:
        assert truth.sha256 == hashlib.sha256(file.read()).hexdigest()
    assert len(load_ground_truth(ann_file, 'Test', merge_duplicates=False).labels) == 4
    assert load_ground_truth(ann_file).video_names == ('one', 'two', 'three')
    assert load_ground_truth(ann_file, ('testing', 'TEST')).subset == 'Test'


def test_classes(ann_file, tmp_path):
    own = load_ground_truth(ann_file, 'test', classes=['run', 'jump', 'sit', 'fly'])
    assert own.labels.tolist() == [0, 2, 0] and len(own.classes) == 4
    assert own.label_ids == {5: 0, 9: 1, 2: 2}
    with pytest.raises(TALDataError, match=r"annotations\.json: video 'one': .*label 'sit'"):
        load_ground_truth(ann_file, 'test', classes=['run'])
    # without usable ids: by name
    content = json.loads(open(ann_file).read())
    content['database']['one']['annotations'][0]['label_id'] = 2
    path = tmp_path / 'other.json'
    path.write_text(json.dumps(content))
    assert load_ground_truth(str(path), 'test').classes == ('jump', 'run', 'sit')
    content['classes'] = ['sit', 'jump', 'run']
    path.write_text(json.dumps(content))
    assert load_ground_truth(str(path), 'test').classes == ('sit', 'jump', 'run')


def test_problems(ann_file, tmp_path):
    with pytest.raises(TALDataError, match=r"subset 'train' or 'x'; .*\['Test', 'Validation'\]"):
        load_ground_truth(ann_file, ('train', 'x'))
    content = json.loads(open(ann_file).read())
    content['database']['two']['annotations'].append(dict(label='run', segment=[9., 8.]))
    path = tmp_path / 'bad.json'
    path.write_text(json.dumps(content))
    with pytest.raises(TALDataError, match=r"bad\.json: video 'two': annotations\[1\]\.segment"):
        load_ground_truth(str(path), 'test')
    truth = load_ground_truth(str(path), 'test', on_error='skip')
    assert len(truth.labels) == 3 and truth.unused == 1
    content['database']['two']['annotations'] = 5
    path.write_text(json.dumps(content))
    with pytest.raises(TALDataError, match=r"bad\.json: video 'two': annotations: must be a list"):
        load_ground_truth(str(path), 'test')


def test_fingerprint(ann_file):
    truth = load_ground_truth(ann_file, 'test')
    values = fingerprint(truth, (0.3, 0.5))
    assert values == dict(videos=2, instances=3, classes=2, subset='Test', merged_duplicates=1,
                          tious=[0.3, 0.5], sha256=truth.sha256)
    line = fingerprint_line(values)
    for part in ('2 videos', "'Test'", '3 instances', '2 classes', '0.3, 0.5', truth.sha256[:12]):
        assert part in line


@pytest.mark.parametrize('name, tious', [
    ('thumos14', [.3, .4, .5, .6, .7]), ('multithumos', [.1, .2, .3, .4, .5, .6, .7, .8, .9]),
    ('epic100', [.1, .2, .3, .4, .5]), ('hapt', [.3, .4, .5, .6, .7]),
    ('anet13', [.5, .55, .6, .65, .7, .75, .8, .85, .9, .95]),
    ('hacs', [.5, .55, .6, .65, .7, .75, .8, .85, .9, .95])])
def test_protocols(name, tious):
    protocol = get_protocol(name)
    assert list(protocol.tious) == tious
    assert set(protocol.shown_tious) <= set(protocol.all_tious)
    np.testing.assert_array_equal(get_protocol(name, [0.5, 0.25]).tious, [0.25, 0.5])


def test_protocol_names_and_errors():
    assert set(PROTOCOLS) == {
        'thumos14', 'multithumos', 'epic100', 'anet13', 'hacs', 'hapt', 'custom'}
    hapt = get_protocol('hapt')
    assert hapt.extra == {'0.5:0.95': tiou_range(0.5, 0.95, 0.05)} and 0.95 in hapt.all_tious
    assert get_protocol('anet13').shown_tious == (0.5, 0.75, 0.95)
    with pytest.raises(ValueError, match="unknown protocol 'thumos', expected one of"):
        get_protocol('thumos')
    for bad in ([], [0.], [1.2]):
        with pytest.raises(ValueError, match='must be in'):
            get_protocol('hapt', bad)


def test_real_annotations(shared_data):
    truth = load_ground_truth(str(shared_data / 'data/annotations/thumos14.json'),
                              get_protocol('thumos14').subsets)
    assert len(truth.video_names) == 212 and len(truth.labels) == 3358 and len(truth.classes) == 20
