"""Streams of different grids in one data set: what a step holds, what is cut, what is refused."""
import json

import numpy as np
import pytest
from mmaction.registry import DATASETS
from mmengine.dataset import Compose

from cltdr_mm.apis import TALInferencer
from cltdr_mm.datasets import TALDataError
from cltdr_mm.datasets.feature_streams import aligned_rows, aligned_steps, stream_grids

FPS, FRAMES = 30., 960
#: SlowFast's, EgoVLP's and InternVideo's grids of Ego4D.
GRIDS = dict(slow=(16, 32), ego=(16, 16), fine=(8, 16))


def make(tmp_path, name, grid, video='clip'):
    """Features whose first channel says at which frame each step's window is centred."""
    stride, window = grid
    frames = np.arange((FRAMES - window) // stride + 1) * stride + window / 2
    feats = np.stack([frames, np.full(len(frames), float(len(name)))], axis=1).astype(np.float32)
    (tmp_path / name).mkdir(exist_ok=True)
    np.save(tmp_path / name / f'{video}.npy', feats)
    return frames


@pytest.fixture
def data(tmp_path):
    for name, grid in GRIDS.items():
        make(tmp_path, name, grid)
    annotations = [dict(segment=[3., 9.], label='wash')]
    (tmp_path / 'ann.json').write_text(json.dumps(dict(
        classes=['wash'], database=dict(clip=dict(
            subset='training', duration=FRAMES / FPS, fps=FPS, annotations=annotations)))))
    return tmp_path


def config(data, names, **kwargs):
    strides, windows = zip(*(GRIDS[name] for name in names))
    return {**dict(
        type='TALDataset', ann_file=str(data / 'ann.json'),
        data_prefix=dict(feats=[str(data / name) for name in names]),
        feature_stride=list(strides), feature_window=list(windows),
        pipeline=[dict(type='LoadTALFeature')]), **kwargs}


@pytest.mark.parametrize('names', [('slow', 'ego'), ('ego', 'slow'), ('slow', 'fine', 'ego'),
                                   ('fine', 'slow')])
def test_every_channel_is_of_the_time_of_its_step(data, names):
    sample = DATASETS.build(config(data, names))[0]
    rows, grid = sample['rows'], sample['grid']
    assert (grid.stride, grid.window) == GRIDS[names[0]]
    frames = np.asarray(grid.to_seconds(np.arange(len(rows)))) * FPS
    for index, name in enumerate(names):
        assert (rows[:, 2 * index + 1] == len(name)).all()
        first, last = GRIDS[name][1] / 2, make(data, name, GRIDS[name])[-1]
        np.testing.assert_allclose(rows[:, 2 * index], frames.clip(first, last), atol=1e-3)
        assert frames[-1] <= last + GRIDS[name][0] / 2 + 1e-6
    np.testing.assert_allclose(grid.to_seconds(sample['gt_segments'][0]), [3., 9.], atol=1e-5)


def test_windows_are_parts_of_the_whole(data):
    whole = DATASETS.build(config(data, ('slow', 'fine')))[0]['rows']
    parts = DATASETS.build(config(data, ('slow', 'fine'), window=dict(size=20, overlap=0.5),
                                  test_mode=True))
    for index in range(len(parts)):
        part = parts[index]
        start = int(part['grid'].start)
        np.testing.assert_array_equal(part['rows'], whole[start:start + len(part['rows'])])
    assert sum(len(parts[i]['rows']) for i in range(len(parts))) > len(whole)


def test_one_number_for_all_lays_steps_beside_each_other(data):
    """As published: whatever the windows, step t beside step t."""
    sample = DATASETS.build(config(data, ('slow', 'ego'), feature_stride=16, feature_window=32))[0]
    np.testing.assert_array_equal(sample['rows'][:, 0] - sample['rows'][:, 2], 8)


def test_what_is_missing_is_named(data):
    (data / 'ego' / 'clip.npy').unlink()
    with pytest.raises(TALDataError, match="ego.clip.npy: video 'clip': feature: missing feature"):
        DATASETS.build(config(data, ('slow', 'ego')))
    np.save(data / 'ego' / 'clip.npy', np.zeros((40, 2), np.float32))
    with pytest.raises(TALDataError, match=r'the folders disagree: \[59, 40\] steps'):
        DATASETS.build(config(data, ('slow', 'ego')))


@pytest.mark.parametrize('change, message', [
    (dict(feature_stride=[16, 16, 8]), r'lists of one each .*\[16, 16, 8\] and \[32, 16\]'),
    (dict(feature_stride=[16], feature_window=None), r'got 1 for 2 folder'),
    (dict(feature_stride=[16, 0]), 'feature_stride must be positive'),
    (dict(feature_stride=None), 'numbers where one of them is a list')])
def test_lists_that_do_not_fit(data, change, message):
    with pytest.raises(ValueError, match=message):
        DATASETS.build(config(data, ('slow', 'ego'), **change))


def test_an_entry_with_a_grid_of_its_own(data):
    content = json.loads((data / 'ann.json').read_text())
    content['database']['clip']['feature_stride'] = 4
    (data / 'ann.json').write_text(json.dumps(content))
    with pytest.raises(TALDataError, match='feature_stride: is 4, but the config says one'):
        DATASETS.build(config(data, ('slow', 'ego')))


def test_inferencer_reads_streams_as_the_data_set(data):
    names = ('slow', 'fine')
    dataset = config(data, names, test_mode=True, pipeline=[
        dict(type='LoadTALFeature'), dict(type='PackTALInputs')])
    model = dict(
        type='SingleStageLocalizer', head=dict(type='ActionFormerHead', num_classes=1),
        backbone=dict(type='ConvPyramid', in_channels=4, embed_dims=8, arch=(1, 1, 2), ffn_dims=8,
                      streams=[(2, 4), (2, 4)]))
    inferencer = TALInferencer(dict(model=model, test_dataloader=dict(dataset=dataset)),
                               device='cpu')
    seen = []
    inferencer.model.register_forward_pre_hook(lambda module, args, kwargs: seen.append(
        (args or (kwargs['inputs'], ))[0]), with_kwargs=True)
    inferencer(dict(path=[str(data / name / 'clip.npy') for name in names], fps=FPS))
    expected = Compose(dataset['pipeline'])(
        DATASETS.build(dict(dataset, pipeline=[])).get_data_info(0))
    packed = seen[0]
    np.testing.assert_array_equal(packed.rows[packed.layout.valid_rows],
                                  expected['inputs'].rows)


def test_steps_and_rows_of_made_grids():
    assert stream_grids(4, 16) is None and stream_grids(4, None) is None
    assert stream_grids([4, 8], 16) == ((4, 16), (8, 16))
    assert stream_grids([4, 8], None) == ((4, 4), (8, 8))
    assert aligned_steps([10, 5], None) == [10, 5]
    assert aligned_steps([10, 5], ((4, 4), (8, 8))) == [10, 10]
    assert aligned_steps([10, 0], ((4, 4), (8, 8))) == [10, 0]
    rows = aligned_rows(np.array([[0.], [8.], [16.]]), (8, 0), (4, 0), 1, 6)
    assert rows.ravel().tolist() == [4., 8., 12., 16., 16.]
