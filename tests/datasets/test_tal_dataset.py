import copy

import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate
from torch.utils.data import DataLoader

from cltdr_mm.datasets import LoadTALFeature, TALDataset
from cltdr_mm.structures import FeatureGrid, TimeMajor

PIPELINE = [dict(type='LoadTALFeature'), dict(type='PackTALInputs')]
STEPS = (40, 60, 25)


def test_sample(mini):
    dataset = mini.build(subset='Training', pipeline=PIPELINE)  # letter case does not matter
    assert len(dataset) == 2
    info = dataset.get_data_info(0)
    assert info['video_name'] == 'v0' and info['subset'] == 'training'
    assert info['num_steps'] == 40
    np.testing.assert_array_equal(info['gt_labels'], [0, 2])
    assert info['gt_segments'].dtype == np.float64
    assert dataset.metainfo['classes'] == ('jump', 'throw', 'run')
    assert dataset.get_cat_ids(0) == [0, 2]

    packed = dataset[0]
    feats = np.load(mini.feature('v0'))
    rows = packed['inputs'].rows
    assert torch.equal(rows, torch.from_numpy(feats)) and rows.is_contiguous()
    sample = packed['data_samples']
    assert sample.grid == FeatureGrid(10.0, 4, 8, 40)
    assert sample.video_name == 'v0' and sample.fps == 10 and sample.duration == 16.4
    # METHODS: grid = (second * fps - 0.5 * window) / stride
    torch.testing.assert_close(sample.gt_instances.segments[0],
                               torch.tensor([(10 - 4) / 4, (35 - 4) / 4]))
    assert sample.gt_instances.segments.dtype == torch.float32
    assert sample.gt_instances.labels.dtype == torch.int64
    assert 'window_index' not in sample


def test_subsets(mini):
    assert len(mini.build(subset=['training', 'validation'])) == 3
    assert len(mini.build(subset='validation')) == 1
    assert len(mini.build()) == 3


def test_base_class_features_work(mini):
    lazy = mini.build(lazy_init=True)
    assert not lazy._fully_initialized
    assert len(lazy) == 3  # initialises
    assert len(mini.build(indices=2)) == 2
    assert mini.build(indices=[2]).get_data_info(0)['video_name'] == 'v2'
    assert len(mini.build().get_subset([0, 1])) == 2
    plain, packed = mini.build(serialize_data=False), mini.build()
    assert packed.data_bytes.nbytes > 0
    for i in range(3):
        a, b = plain.get_data_info(i), packed.get_data_info(i)
        np.testing.assert_array_equal(a.pop('gt_segments'), b.pop('gt_segments'))
        np.testing.assert_array_equal(a.pop('gt_labels'), b.pop('gt_labels'))
        assert a == b
    assert len(copy.deepcopy(packed)) == 3


def test_lazy_init_defers_the_errors(mini):
    mini.feature('v0').unlink()
    lazy = mini.build(lazy_init=True)
    with pytest.raises(ValueError, match='missing feature'):
        lazy.full_init()


def test_filter_applies_to_training_only(mini):
    mini.database['v1']['annotations'] = []
    assert len(mini.build()) == 2
    assert len(mini.build(filter_cfg=dict(filter_empty_gt=False))) == 3
    assert len(mini.build(filter_cfg=dict(min_steps=30))) == 1
    test = mini.build(test_mode=True, filter_cfg=dict(min_steps=30), pipeline=PIPELINE)
    assert len(test) == 3
    sample = test[1]['data_samples']
    assert sample.gt_instances.segments.shape == (0, 2)
    assert sample.gt_instances.labels.shape == (0,)


def test_short_segments_can_be_left_out_of_training(mini):
    entry = mini.database['v0']
    entry['annotations'] = [dict(segment=[1., 1. + part * entry['duration']], label=label)
                            for part, label in ((0.009, 'jump'), (0.02, 'run'))]
    mini.database['v1']['annotations'] = entry['annotations'][:1]
    data = mini.build(subset='training', filter_cfg=dict(min_part=0.01))
    assert len(data) == 1 and data.get_data_info(0)['gt_labels'].tolist() == [2]
    assert len(data.get_data_info(0)['gt_segments']) == 1
    test = mini.build(subset='training', filter_cfg=dict(min_part=0.01), test_mode=True)
    assert len(test.get_data_info(0)['gt_labels']) == 2
    assert len(mini.build(subset='training')) == 2


def test_steps_may_lie_where_their_frames_begin(mini):
    """Of window 0: step t is frame t * stride."""
    info = mini.build(feature_window=0).get_data_info(0)
    grid = LoadTALFeature().transform(info)['grid']
    assert (info['window'], grid.window) == (0, 0)
    assert grid.to_seconds(5.) == 5 * grid.stride / grid.fps
    with pytest.raises(ValueError, match='feature_window must not be negative, got -1'):
        mini.build(feature_window=-1)


def test_test_videos_need_no_annotations(mini):
    del mini.database['v2']['annotations']
    assert len(mini.build(subset='validation', test_mode=True)) == 1


def test_fps_sources(mini):
    # 30 fps would put features and duration at odds; only the numbers matter here
    free = dict(check_features=False)
    assert mini.build(fps=30, **free).get_data_info(0)['fps'] == 30
    assert mini.build(default_fps=30, **free).get_data_info(0)['fps'] == 10
    del mini.database['v0']['fps']
    dataset = mini.build(default_fps=30, **free)
    assert [dataset.get_data_info(i)['fps'] for i in range(3)] == [30, 10, 10]


def test_stride_and_window_per_video(mini):
    mini.database['v0'].update(feature_stride=2, feature_window=4)
    dataset = mini.build(check_features=False, pipeline=PIPELINE)
    assert dataset[0]['data_samples'].grid == FeatureGrid(10.0, 2, 4, 40)
    assert dataset[1]['data_samples'].grid == FeatureGrid(10.0, 4, 8, 60)
    # window defaults to the stride
    dataset = mini.build(check_features=False, pipeline=PIPELINE, feature_window=None)
    assert dataset[1]['data_samples'].grid == FeatureGrid(10.0, 4, 4, 60)
    del mini.database['v0']['feature_window']
    dataset = mini.build(check_features=False, pipeline=PIPELINE, feature_window=None)
    assert dataset[0]['data_samples'].grid == FeatureGrid(10.0, 2, 2, 40)  # to the entry's own


def test_fixed_length_features(mini):
    """Without a stride the steps share the video evenly, whatever their number."""
    for name in ('v0', 'v1', 'v2'):
        np.save(mini.feature(name), np.zeros((100, 6), np.float32))
    dataset = mini.build(feature_stride=None, feature_window=None, pipeline=PIPELINE)
    for i, duration in enumerate((16.4, 24.4, 10.4)):
        grid = dataset[i]['data_samples'].grid
        assert grid.num_steps == 100
        assert grid.extent == pytest.approx(duration)
        assert grid.to_seconds(-0.5) == pytest.approx(0)


def test_channel_major(mini):
    expected = {}
    for name in ('v0', 'v1', 'v2'):
        expected[name] = np.load(mini.feature(name)).T
        np.save(mini.feature(name), expected[name])
    dataset = mini.build(layout='channel_major', pipeline=PIPELINE)
    np.testing.assert_array_equal(dataset[1]['inputs'].rows.numpy(), expected['v1'].T)


def test_folders_are_concatenated_and_cut_to_the_shortest(mini):
    (mini.root / 'flow').mkdir()
    for name, steps in zip(('v0', 'v1', 'v2'), (40, 58, 27)):
        np.save(mini.root / 'flow' / f'{name}.npy', np.full((steps, 3), 7, np.float64))
    dataset = mini.build(data_prefix=dict(feats=['feats', 'flow']), pipeline=PIPELINE,
                         feature_dim=9)
    for i, steps in enumerate((40, 58, 25)):
        rows = dataset[i]['inputs'].rows
        assert rows.shape == (steps, 9) and rows.dtype == torch.float32
        assert (rows[:, 6:] == 7).all()
        np.testing.assert_array_equal(rows[:, :6].numpy(),
                                      np.load(mini.feature(f'v{i}'))[:steps])
        assert dataset[i]['data_samples'].grid.num_steps == steps
    with pytest.raises(TypeError, match='folder or a list of folders'):
        mini.build(data_prefix=dict(feats=3))


def test_class_agnostic(mini):
    dataset = mini.build(class_agnostic=True)
    assert dataset.get_data_info(0)['gt_labels'].tolist() == [0, 0]
    assert dataset.get_data_info(0)['class_agnostic'] is True
    assert mini.build().get_data_info(0)['class_agnostic'] is False
    assert len(dataset.metainfo['classes']) == 3  # the names are needed to evaluate


def test_classes_from_the_annotation_file(mini):
    import json
    mini.write(json.dumps(dict(database=mini.database, classes=['jump', 'throw', 'run'])))
    dataset = mini.build(write=False, metainfo=None)
    assert dataset.metainfo['classes'] == ('jump', 'throw', 'run')


@pytest.mark.parametrize('encoding', ['utf-8-sig', 'utf-16'])
def test_annotation_file_with_a_byte_order_mark(mini, encoding):
    mini.write()
    mini.ann_file.write_text(mini.ann_file.read_text(), encoding=encoding)
    assert len(mini.build(write=False)) == 3


@pytest.mark.parametrize('encoding', ['utf-8', 'utf-8-sig'])
def test_classes_from_a_text_file(mini, encoding):
    path = mini.root / 'classes.txt'
    path.write_text('jump\nthrow\nrun\n', encoding=encoding)
    dataset = mini.build(metainfo=dict(classes=str(path)))
    assert list(dataset.metainfo['classes']) == ['jump', 'throw', 'run']


@pytest.mark.parametrize('test_mode', [False, True])
def test_sliding_windows(mini, test_mode):
    dataset = mini.build(window=dict(size=32, overlap=8), pipeline=PIPELINE, test_mode=test_mode)
    infos = [dataset.get_data_info(i) for i in range(len(dataset))]
    windows = {}
    for info in infos:
        windows.setdefault(info['video_name'], []).append(info)
    if test_mode:
        assert {k: len(v) for k, v in windows.items()} == {'v0': 2, 'v1': 3, 'v2': 1}
    for i, info in enumerate(infos):
        packed = dataset[i]
        start, size = info['window_start'], info['window_size']
        feats = np.load(mini.feature(info['video_name']))
        np.testing.assert_array_equal(packed['inputs'].rows.numpy(), feats[start:start + size])
        sample = packed['data_samples']
        assert sample.grid.start == start and sample.grid.num_steps == size
        assert sample.window_index == info['window_index']
        assert sample.num_windows == info['num_windows']
        # back in seconds, the segments are those of the dataset
        seconds = sample.grid.to_seconds(sample.gt_instances.segments.double())
        np.testing.assert_allclose(seconds.numpy(), info['gt_segments'], atol=1e-4)


def test_windows_cut_the_ground_truth(mini):
    # 60 steps = 24.4 s; windows of 30 steps see [0, 12.4] and [12, 24.4] s
    mini.database['v1']['annotations'] = [
        dict(segment=[0.0, 5.0], label='jump'),  # first only
        dict(segment=[10.0, 13.0], label='run'),  # 80 % in the first, 33 % in the second
        dict(segment=[2.0, 22.0], label='throw')]  # about half in each
    dataset = mini.build(subset='training', window=dict(size=30, overlap=0))
    first, second = (dataset.get_data_info(i) for i in range(len(dataset))
                     if dataset.get_data_info(i)['video_name'] == 'v1')
    assert first['gt_labels'].tolist() == [0, 2, 1]
    np.testing.assert_allclose(first['gt_segments'], [[0, 5], [10, 12.4], [2, 12.4]])
    assert second['gt_labels'].tolist() == [1]
    np.testing.assert_allclose(second['gt_segments'], [[12, 22]])


@pytest.mark.parametrize('workers', [0, 2])
def test_dataloader_workers(mini, workers):
    dataset = mini.build(pipeline=PIPELINE)
    loader = DataLoader(dataset, batch_size=2, num_workers=workers, collate_fn=pseudo_collate)
    batches = list(loader)
    assert [len(batch['inputs']) for batch in batches] == [2, 1]
    found = [x for batch in batches for x in batch['inputs']]
    for i, inputs in enumerate(found):
        assert isinstance(inputs, TimeMajor) and len(inputs.rows) == STEPS[i]
        np.testing.assert_array_equal(inputs.rows.numpy(), np.load(mini.feature(f'v{i}')))


@pytest.mark.skipif(not torch.cuda.is_available(), reason='page-locked memory needs a GPU')
def test_pinned_memory(mini):
    loader = DataLoader(mini.build(pipeline=PIPELINE), batch_size=3, num_workers=2,
                        pin_memory=True, collate_fn=pseudo_collate)
    for i, inputs in enumerate(next(iter(loader))['inputs']):
        assert inputs.rows.is_pinned()
        found = inputs.to('cuda', non_blocking=True).rows.cpu().numpy()
        np.testing.assert_array_equal(found, np.load(mini.feature(f'v{i}')))


@pytest.mark.parametrize('layout', ['time_major', 'channel_major'])
def test_square_features_are_not_guessed(mini, layout):
    """As many steps as channels: the layout alone says which way they lie."""
    square = np.load(mini.feature('v0'))[:6]
    assert square.shape == (6, 6)
    np.save(mini.feature('v0'), square)
    dataset = mini.build(layout=layout, pipeline=PIPELINE, check_features=False)
    expected = square if layout == 'time_major' else square.T
    np.testing.assert_array_equal(dataset[0]['inputs'].rows.numpy(), expected)


def test_hdf5_of_all_videos(mini):
    h5py = pytest.importorskip('h5py')
    with h5py.File(mini.root / 'all.h5', 'w') as file:
        for name in ('v0', 'v1', 'v2'):
            file[name] = np.load(mini.feature(name))
    dataset = mini.build(data_prefix=dict(feats='all.h5'), pipeline=PIPELINE)
    loader = DataLoader(dataset, batch_size=3, num_workers=2, collate_fn=pseudo_collate)
    for inputs, name in zip(next(iter(loader))['inputs'], ('v0', 'v1', 'v2')):
        np.testing.assert_array_equal(inputs.rows.numpy(), np.load(mini.feature(name)))
    mini.database['v9'] = dict(mini.database['v2'])
    with pytest.raises(ValueError, match=r"all.h5: video 'v9': feature: has no array 'v9'"):
        mini.build(data_prefix=dict(feats='all.h5'))


def test_absolute_paths_and_data_root(mini):
    mini.write()
    dataset = TALDataset(
        ann_file=str(mini.ann_file), data_prefix=dict(feats=str(mini.root / 'feats')),
        feature_stride=4, feature_window=8, metainfo=dict(classes=('jump', 'throw', 'run')),
        data_root='elsewhere')
    assert len(dataset) == 3
