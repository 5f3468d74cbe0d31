"""The benchmarks' subclasses on the real annotation files."""
import json
from collections import Counter

import numpy as np
import pytest
from mmaction.registry import DATASETS
from mmengine.dataset import Compose

from cltdr_mm.datasets import (
    EPICKitchens100Dataset,
    LoadTALFeature,
    PackTALInputs,
    RandomCropFeature,
    TALDataset,
    THUMOS14Dataset,
    class_names,
)

SIZES = dict(thumos14=20, multithumos=65, epic100_verb=97, epic100_noun=300, activitynet200=200,
             hapt=12, charades=157, ego4d_mq=110, epic_sounds=44)


@pytest.mark.parametrize('name,size', SIZES.items())
def test_class_lists(name, size):
    classes = class_names(name)
    assert len(classes) == size == len(set(classes))
    assert all(c and c == c.strip() for c in classes)


@pytest.mark.parametrize('name,protocol,size', [
    ('THUMOS14Dataset', 'thumos14', 20), ('MultiTHUMOSDataset', 'multithumos', 65),
    ('ActivityNet13Dataset', 'anet13', 200), ('HACSDataset', 'hacs', 200),
    ('HAPTDataset', 'hapt', 12), ('CharadesDataset', 'charades', 157),
    ('Ego4DMQDataset', 'ego4d_mq', 110), ('EPICSoundsDataset', 'epic_sounds', 44)])
def test_metainfo(name, protocol, size):
    cls = DATASETS.get(name)
    assert issubclass(cls, TALDataset)
    assert cls.METAINFO['protocol'] == protocol and len(cls.METAINFO['classes']) == size


@pytest.mark.parametrize('name', ['ego4d_mq', 'epic_sounds'])
def test_class_lists_are_the_published_ones(shared_data, name):
    published = (shared_data / 'data' / 'classes' / f'{name}.txt').read_text('utf-8')
    assert list(class_names(name)) == published.splitlines()


def test_numbers_of_classes_are_as_published():
    assert list(class_names('charades')) == [f'c{i:03d}' for i in range(157)]
    names = class_names('ego4d_mq')  # quotes come first
    assert names == tuple(sorted(names)) and sum('"' in name for name in names) == 7
    assert class_names('epic_sounds')[2] == 'cut / chop'


@pytest.mark.parametrize('task,size', [('verb', 97), ('noun', 300)])
def test_epic_tasks(mini, task, size):
    dataset = mini.build(EPICKitchens100Dataset, metainfo=None, task=task, lazy_init=True)
    assert len(dataset.metainfo['classes']) == size
    assert dataset.metainfo['protocol'] == 'epic100' and dataset.metainfo['task'] == task
    # the names given take the place of the task's
    dataset = mini.build(EPICKitchens100Dataset, task=task)
    assert dataset.metainfo['classes'] == ('jump', 'throw', 'run')
    with pytest.raises(ValueError, match="task must be 'verb' or 'noun'"):
        mini.build(EPICKitchens100Dataset, task='action')


@pytest.fixture(scope='module')
def thumos_json(shared_data):
    return shared_data / 'data' / 'annotations' / 'thumos14.json'


def test_thumos14_class_order(thumos_json):
    entries = json.loads(thumos_json.read_text())['database'].values()
    pairs = {(a['label_id'], a['label']) for entry in entries for a in entry['annotations']}
    assert sorted(pairs) == list(enumerate(class_names('thumos14')))


@pytest.mark.parametrize('subset,test_mode,videos,instances', [
    ('Validation', False, 200, 3007), ('Test', True, 212, 3358), ('test', False, 212, 3358)])
def test_thumos14_loses_nothing(thumos_json, subset, test_mode, videos, instances):
    dataset = THUMOS14Dataset(ann_file=str(thumos_json), subset=subset, feature_stride=4,
                              feature_window=16, check_features=False, test_mode=test_mode)
    infos = [dataset.get_data_info(i) for i in range(len(dataset))]
    assert len(infos) == videos
    assert sum(len(info['gt_labels']) for info in infos) == instances
    raw = json.loads(thumos_json.read_text())['database']
    for info in infos:  # not clipped either
        np.testing.assert_array_equal(
            info['gt_segments'], [a['segment'] for a in raw[info['video_name']]['annotations']])
    assert set(Counter(info['fps'] for info in infos)) <= {24.0, 25.0, 29.97, 30.0}


def test_ambiguous_annotations_are_counted_and_left_out(mini, monkeypatch):
    from cltdr_mm.datasets import tal_dataset
    logged = []
    monkeypatch.setattr(tal_dataset, 'print_log', lambda text, logger: logged.append(text))
    # not even its segment is looked at
    ambiguous = dict(label='Ambiguous', segment=[3, 2], label_id=20)
    mini.database['v0']['annotations'].insert(1, ambiguous)
    mini.database['v1']['annotations'] = [ambiguous]
    mini.database['v2']['annotations'].append(ambiguous)
    dataset = mini.build(THUMOS14Dataset, test_mode=True)
    assert [len(dataset.get_data_info(i)['gt_labels']) for i in range(3)] == [2, 0, 2]
    assert dataset.get_data_info(0)['gt_labels'].tolist() == [0, 2]
    remark, = (text for text in logged if 'Ambiguous' in text)
    assert "ann.json: 3 annotations labelled 'Ambiguous' are left out" in remark
    assert len(mini.build(THUMOS14Dataset, subset='training')) == 1  # nothing to train on in v1
    # other data sets know no such label, and a class of that name is a class
    mini.fails("unknown label 'Ambiguous'")
    mini.database['v1']['annotations'] = [dict(ambiguous, segment=[1., 2.])]
    del mini.database['v0'], mini.database['v2']
    dataset = mini.build(THUMOS14Dataset, metainfo=dict(classes=['Ambiguous']),
                         check_label_id=False)
    assert dataset.get_data_info(0)['gt_labels'].tolist() == [0]


def test_thumos14_exceptions_are_needed_and_enough(thumos_json):
    args = dict(ann_file=str(thumos_json), feature_stride=4, check_features=False)
    assert len(THUMOS14Dataset(**args)) == 412
    with pytest.raises(ValueError) as caught:
        THUMOS14Dataset(**args, exempt_videos=())
    assert {p.video for p in caught.value.problems} == set(THUMOS14Dataset.EXEMPT_VIDEOS)


def test_thumos14_from_end_to_end(thumos_json, tmp_path):
    """Generated features of the right lengths pass the checks, and crops work on all videos."""
    from cltdr_mm.datasets.converters.synthetic import SyntheticSpec, make_features_for
    spec = SyntheticSpec(num_classes=20, channels=2, stride=4, window=16)
    cls = THUMOS14Dataset
    make_features_for(str(thumos_json), str(tmp_path), spec, class_names('thumos14'), 40,
                      duration_tolerance=cls.DURATION_TOLERANCE, exempt_videos=cls.EXEMPT_VIDEOS)
    dataset = cls(ann_file='annotations.json', data_root=str(tmp_path),
                  data_prefix=dict(feats='features'), feature_stride=4, feature_window=16,
                  feature_dim=2, subset='Validation')
    pipeline = Compose([LoadTALFeature(), RandomCropFeature(crop_ratio=(0.9, 1.0)),
                        PackTALInputs()])
    assert len(dataset) == 40
    for i in range(40):
        packed = pipeline(dataset.get_data_info(i))
        assert len(packed['inputs'].rows) <= 2304
        assert len(packed['data_samples'].gt_instances) > 0
