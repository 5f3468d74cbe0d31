"""What MMAction2's localizers and its metric lack is said before a run."""
import json

import numpy as np
import pytest
import torch
from mixed_data import (
    LOAD,
    PACK,
    STEPS,
    STOCK,
    anet_metric,
    make_mixed,
    runner,
    single_stage,
    stock_pipeline,
    tal_dataset,
    tal_metric,
)
from mmaction.datasets import VideoDataset
from mmengine.dataset import RepeatDataset

from cltdr_mm.datasets import TALDataError
from cltdr_mm.engine.hooks.setup_check import check_parts


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    return make_mixed(tmp_path_factory.mktemp('mixed'))


@pytest.mark.parametrize('kind, subset, pipeline, message', [
    ('BMN', 'train', [LOAD, dict(type='ResizeFeature', length=STEPS), PACK],
     r"pipeline: BMN takes tensors \(C, T\): write dict\(type='TALToActivityNet'\)"),
    ('BMN', 'train', stock_pipeline(length=None),
     r"steps: features have \d+ steps, but BMN is made for 48: dict\(type='ResizeFeature', "
     r'length=48\)'),
    ('TEM', 'test', stock_pipeline(length=40), 'features have 40 steps, but TEM is made for 48'),
    ('TCANet', 'train', stock_pipeline(length=50), 'have 50 steps, but TCANet is made for 48'),
    ('TEM', 'train', stock_pipeline(keys=()), 'gt_bbox: missing, but TEM needs it: `keys`'),
    ('TCANet', 'train', stock_pipeline(), 'proposals: missing, but TCANet needs it'),
    ('BMN', 'test', stock_pipeline(meta_keys=('video_name', 'duration_second', 'annotations')),
     'duration_frame: missing, but BMN needs it'),
    ('TEM', 'test', stock_pipeline(meta_keys=('video_name', 'annotations')),
     'duration_second, duration_frame, feature_frame: missing, but TEM needs it'),
])
def test_a_stock_localizer_says_what_it_lacks(kind, subset, pipeline, message, data):
    """Before the run, in one line that names data set and video."""
    run = runner(data, STOCK[kind], tal_dataset(data, 'train', pipeline),
                 tal_dataset(data, 'test', pipeline), tal_metric(data, 'ProposalMetric'))
    begin = run.train if subset == 'train' else run.test
    with pytest.raises(TALDataError, match=f"the data do not fit {kind}: .*annotations.json: video "
                                           f"'{subset}_.*{message}") as error:
        begin()
    assert '\n' not in str(error.value)


def test_other_channels(data):
    model = dict(STOCK['TEM'], tem_feat_dim=400)
    run = runner(data, model, tal_dataset(data, 'train', stock_pipeline()),
                 tal_dataset(data, 'test', stock_pipeline()), tal_metric(data, 'ProposalMetric'))
    with pytest.raises(TALDataError, match=r'channels: features have the shape \(16, 48\), but TEM '
                                           'takes 400 channels'):
        run.train()


def test_other_intervals(data):
    """Seconds of MMAction2 would end before the last interval that is not whole."""
    model = dict(STOCK['BMN'], feature_extraction_interval=36)
    for interval in (16, 36):
        pipeline = stock_pipeline(interval=interval)
        run = runner(data, model, tal_dataset(data, 'train', pipeline),
                     tal_dataset(data, 'test', pipeline), tal_metric(data, 'ProposalMetric'))
        if interval == 36:
            assert run.test()['AR@100'] >= 0
            continue
        with pytest.raises(TALDataError, match=r"interval: dict\(type='TALToActivityNet', "
                                               r'interval=36\)'):
            run.test()


def test_one_video_at_a_time(data):
    run = runner(data, STOCK['BMN'], tal_dataset(data, 'train', stock_pipeline()),
                 tal_dataset(data, 'test', stock_pipeline()), tal_metric(data, 'ProposalMetric'),
                 batches=(4, 3))
    with pytest.raises(TALDataError, match='batch_size: is 3, but BMN predicts the first video of '
                                           'a batch only: set batch_size=1'):
        run.test()


def spoiled(data, tmp_path, change):
    """The test videos' annotations with a change."""
    content = json.loads((data / 'annotations.json').read_text())
    content['database'] = change(content['database'])
    path = tmp_path / 'annotations.json'
    path.write_text(json.dumps(content))
    return str(path)


def without_actions(database):
    database['test_00002']['annotations'] = []
    return database


@pytest.mark.parametrize('subset', ['train', 'test'])
def test_videos_without_actions(subset, data, tmp_path):
    """Nothing to learn from for MMAction2's localizers, nothing to judge by for its metric."""
    sets = [tal_dataset(data, name, stock_pipeline()) for name in ('train', 'test')]
    sets[0].update(subset='test', filter_cfg=dict(filter_empty_gt=False))
    for dataset in sets:
        dataset['ann_file'] = spoiled(data, tmp_path, without_actions)
    run = runner(data, STOCK['BMN'], *sets, anet_metric(data))
    message = dict(train='BMN cannot learn from a video without an action',
                   test='there are none, and ANetMetric cannot judge')[subset]
    with pytest.raises(TALDataError, match=f"video 'test_00002': annotations: {message}"):
        run.train() if subset == 'train' else run.test()


def test_anet_metric_needs_annotations(data):
    """The plain pipeline of ours has none."""
    pipeline = [LOAD, PACK]
    run = runner(data, single_stage(), tal_dataset(data, 'train', pipeline),
                 tal_dataset(data, 'test', pipeline), anet_metric(data))
    with pytest.raises(TALDataError, match="the data do not fit ANetMetric: .*video 'test_00000': "
                                           'annotations: missing in the metainfo.*'
                                           "type='TALToActivityNet'"):
        run.test()


def test_anet_metric_cuts_names(data, tmp_path):
    """Of `01_a` and `02_a` it would judge one."""
    pipeline = [LOAD, dict(type='TALToActivityNet'), PACK]
    dataset = tal_dataset(data, 'test', pipeline)
    dataset['ann_file'] = spoiled(data, tmp_path, lambda database: {
        'te_a': database['test_00000'], 'st_a': database['test_00001']})
    dataset['data_prefix'] = dict(feats=str(tmp_path))
    for old, new in dict(test_00000='te_a', test_00001='st_a').items():
        rows = np.load(data / 'features' / f'{old}.npy')
        np.save(tmp_path / f'{new}.npy', rows)
    run = runner(data, single_stage(), dataset, dataset, anet_metric(data))
    with pytest.raises(TALDataError, match="video 'te_a': video name: differs from that of another "
                                           'video in its first two letters only'):
        run.test()


def test_clips_that_are_missing(tmp_path):
    """Of MMAction2's own data set, also where another repeats it; nothing is read for it."""
    (tmp_path / 'clips').mkdir()
    (tmp_path / 'clips' / 'one.mp4').touch()
    (tmp_path / 'clips.txt').write_text('one.mp4 0\ntwo.mp4 1\n')
    clips = VideoDataset(str(tmp_path / 'clips.txt'), [],
                         data_prefix=dict(video=str(tmp_path / 'clips')))
    model = torch.nn.Identity()
    for dataset in (clips, RepeatDataset(clips, times=2)):
        with pytest.raises(TALDataError, match='1 of 2 clips are missing') as error:
            check_parts(model, dataset)
        line = f"video '{tmp_path / 'clips' / 'two.mp4'}': filename: no such file"
        assert line in str(error.value) and 'one.mp4' not in str(error.value)
    (tmp_path / 'clips' / 'two.mp4').touch()
    check_parts(model, clips)
