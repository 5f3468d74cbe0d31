"""MMAction2's data set before our localizers, ours before its localizers, its metric and ours."""
import json

import numpy as np
import pytest
import torch
from mixed_data import (
    CHANNELS,
    CLASSES,
    META_KEYS,
    SPEC,
    STEPS,
    anet_dataset,
    anet_metric,
    make_mixed,
    runner,
    tal_dataset,
    tal_metric,
)
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.structures import InstanceData

from cltdr_mm.datasets import TALDataError

SOFT_NMS = dict(soft_nms_alpha=0.4, soft_nms_low_threshold=0.5, soft_nms_high_threshold=0.9,
                post_process_top_k=50)
STOCK = dict(
    BMN=dict(type='BMN', temporal_dim=STEPS, boundary_ratio=0.5, num_samples=8,
             num_samples_per_bin=2, feat_dim=CHANNELS, hidden_dim_1d=32, hidden_dim_2d=8,
             hidden_dim_3d=16, **SOFT_NMS),
    TEM=dict(type='TEM', temporal_dim=STEPS, boundary_ratio=0.1, tem_feat_dim=CHANNELS,
             tem_hidden_dim=32, tem_match_threshold=0.5, conv3_ratio=1),
    TCANet=dict(type='TCANet', feat_dim=CHANNELS, se_sample_num=4, action_sample_num=8,
                temporal_dim=STEPS, window_size=5, lgte_num=1, **SOFT_NMS))
BACKBONE = dict(type='GMG', in_channels=CHANNELS, embed_dims=32, arch=(1, 1, 2), ffn_dims=48)
NMS = dict(type='TALPostProcessor', nms=dict(type='SoftNMS', sigma=0.4), max_per_video=100)
LOAD_THEIRS = dict(type='LoadLocalizationFeature')
PACK = dict(type='PackTALInputs')


def single_stage(num_classes=2):
    """One of our localizers."""
    return dict(
        type='SingleStageLocalizer', backbone=BACKBONE, neck=dict(type='IdentityNeck'),
        head=dict(type='CLTDRHead', num_classes=num_classes, num_bins=8), postprocessor=NMS)


def encoded(kind='TEM'):
    """The other, around one of MMAction2's."""
    width = dict(tem_feat_dim=32) if kind == 'TEM' else dict(feat_dim=32)
    own = dict(type='TALPostProcessor', max_per_video=100)
    return dict(type='EncodedLocalizer', backbone=BACKBONE, neck=dict(type='IdentityNeck'),
                localizer=dict(STOCK[kind], **width), postprocessor=own if kind == 'BMN' else NMS)


def stock_pipeline(*proposals, length=STEPS, keys=('gt_bbox', 'proposals'), meta_keys=META_KEYS,
                   interval=16):
    """From our files to what MMAction2's localizers take."""
    resize = [dict(type='ResizeFeature', length=length)] if length else []
    return [dict(type='LoadTALFeature'), *resize, *proposals,
            dict(type='TALToActivityNet', interval=interval),
            dict(type='GenerateLocalizationLabels'),
            dict(type='PackLocalizationInputs', keys=keys, meta_keys=meta_keys)]


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    return make_mixed(tmp_path_factory.mktemp('mixed'))


@pytest.fixture(scope='module')
def proposals(data):
    """A step of the pipeline: proposals that are off by a second or so, and one of no use."""
    database = json.loads((data / 'annotations.json').read_text())['database']
    results = {
        name: [dict(segment=[max(0., a['segment'][0] - .6), a['segment'][1] + 1.2], score=.9)
               for a in video['annotations']] + [dict(segment=[0., video['duration']], score=.3)]
        for name, video in database.items()}
    (data / 'proposals.json').write_text(json.dumps(dict(results=results)))
    return dict(type='LoadTALProposals', proposal_files=str(data / 'proposals.json'))


def same_recall(metrics):
    """MMAction2's AR@AN is ours."""
    for name in ('AR@1', 'AR@5', 'AR@10', 'AR@100'):
        assert metrics[name] == pytest.approx(metrics[f'anet/{name}'], abs=1e-9), name
    assert 100 * metrics['AUC'] == pytest.approx(metrics['anet/auc'], abs=1e-6)


# MMAction2's data set, our localizers


def test_anet_samples_train_a_single_stage_localizer(data):
    pipeline = [LOAD_THEIRS, dict(type='ActivityNetToTAL', classes=list(CLASSES)), PACK]
    run = runner(data, single_stage(), anet_dataset(data, 'train', pipeline),
                 anet_dataset(data, 'test', pipeline), [
                     tal_metric(data, classes=list(CLASSES), prefix='tal'),
                     tal_metric(data, 'ProposalMetric'), anet_metric(data)], epochs=8,
                 lr=3e-3, batches=(4, 4))
    run.train()
    metrics = run.test()
    # 0.92 here; segments in steps or fractions in place of seconds would give 0
    assert metrics['tal/average_mAP'] > 0.7
    same_recall(metrics)
    # the same in the file that MMAction2 writes
    results = json.loads((data / 'results.json').read_text())['results']
    assert sorted(results) == [f'st_{i:05d}' for i in range(SPEC.num_test)]  # less two letters


def test_anet_samples_train_an_encoded_localizer(data):
    """GenerateLocalizationLabels, which MMAction2's pipelines have, does no harm."""
    pipeline = [LOAD_THEIRS, dict(type='GenerateLocalizationLabels'),
                dict(type='ActivityNetToTAL'), PACK]
    run = runner(data, encoded(), anet_dataset(data, 'train', pipeline),
                 anet_dataset(data, 'test', pipeline),
                 [tal_metric(data, 'ProposalMetric'), anet_metric(data)], epochs=8,
                 batches=(4, 4))
    before = run.test()['AUC']
    run.train()
    metrics = run.test()
    assert metrics['AUC'] > max(0.6, before + 0.1)  # 0.79 here
    same_recall(metrics)


def test_files_of_unequal_length(data, tmp_path):
    """CSV files as they came from a network: ours take any length, or resize them."""
    (tmp_path / 'csv').mkdir()
    for name in (data / 'csv').iterdir():
        rows = np.load(data / 'features' / f'{name.stem}.npy')
        np.savetxt(tmp_path / 'csv' / name.name, rows, delimiter=',', header='x', comments='')
    load = [LOAD_THEIRS, dict(type='ActivityNetToTAL')]
    for model, pipeline in (
            (single_stage(1), [*load, PACK]),
            (encoded('BMN'), [*load, dict(type='ResizeFeature', length=STEPS), PACK])):
        sets = [anet_dataset(data, subset, pipeline) for subset in ('train', 'test')]
        for dataset in sets:
            dataset['data_prefix'] = dict(video=str(tmp_path / 'csv'))
        run = runner(data, model, *sets, [tal_metric(data, 'ProposalMetric'), anet_metric(data)],
                     epochs=1, batches=(4, 4))
        run.train()
        dataset = run.train_dataloader.dataset
        lengths = {len(dataset[i]['inputs'].rows) for i in range(len(dataset))}
        assert len(lengths) == 1 if len(pipeline) == 4 else len(lengths) > 4
        same_recall(run.test())


# our data set, MMAction2's localizers


@pytest.mark.parametrize('kind, epochs, lr, wanted', [
    ('BMN', 12, 1e-2, 0.6), ('TEM', 8, 2e-3, 0.6), ('TCANet', 8, 2e-3, 0.5)])
def test_our_samples_train_a_stock_localizer(kind, epochs, lr, wanted, data, proposals):
    """Videos of different lengths, resampled; curves of TEM come in whole batches."""
    pipeline = stock_pipeline(*[proposals] * (kind == 'TCANet'))
    metrics = [tal_metric(data, 'ProposalMetric', postprocessor=NMS if kind == 'TEM' else None)]
    if kind != 'TEM':  # whose csv files ANetMetric writes, and does not judge
        metrics.append(anet_metric(data))
    run = runner(data, STOCK[kind], tal_dataset(data, 'train', pipeline),
                 tal_dataset(data, 'test', pipeline), metrics, epochs=epochs, lr=lr,
                 batches=(4, 4 if kind == 'TEM' else 1))
    before = run.test()['AUC']
    run.train()
    found = run.test()
    assert type(run.model) is MODELS.get(kind)
    assert found['AUC'] > max(wanted, before + 0.05)
    if kind == 'BMN':  # scores of TCANet's own predict are all 0: the order is anyone's
        same_recall(found)


def test_stock_proposals_with_classes_of_videos(data):
    """mAP of BMN's proposals: the metric's post-processor brings the classes."""
    database = json.loads((data / 'annotations.json').read_text())['database']
    scores = {name: [float(label in [a['label'] for a in video['annotations']]) + .01
                     for label in CLASSES] for name, video in database.items()}
    (data / 'scores.json').write_text(json.dumps(scores))
    fusion = dict(type='ExternalScores', score_file=str(data / 'scores.json'), topk=2)
    pipeline = stock_pipeline()
    run = runner(data, STOCK['BMN'], tal_dataset(data, 'train', pipeline),
                 tal_dataset(data, 'test', pipeline), epochs=1, metrics=tal_metric(
                     data, postprocessor=dict(type='TALPostProcessor', fusion=fusion)))
    assert 0 <= run.test()['average_mAP'] <= 1


@pytest.mark.parametrize('model', [single_stage(), encoded('BMN')], ids=lambda m: m['type'])
def test_anet_metric_judges_ours_on_our_data_set(model, data):
    """Untrained; what is compared is how it is judged."""
    resize = [dict(type='ResizeFeature', length=STEPS)] * (model['type'] == 'EncodedLocalizer')
    pipeline = [dict(type='LoadTALFeature'), *resize, dict(type='TALToActivityNet'), PACK]
    metrics = runner(data, model, tal_dataset(data, 'train', pipeline),
                     tal_dataset(data, 'test', pipeline),
                     [tal_metric(data, 'ProposalMetric'), anet_metric(data)],
                     batches=(4, 4)).test()
    assert metrics['AR@100'] > 0
    same_recall(metrics)


def test_a_video_in_which_nothing_is_found(data):
    """ANetMetric fails on an empty list: it gets a proposal that matches nothing."""
    model = single_stage()
    model['postprocessor'] = dict(type='TALPostProcessor', min_score=2.)
    pipeline = [dict(type='LoadTALFeature'), dict(type='TALToActivityNet'), PACK]
    metrics = runner(data, model, tal_dataset(data, 'train', pipeline),
                     tal_dataset(data, 'test', pipeline),
                     [tal_metric(data, 'ProposalMetric'), anet_metric(data)]).test()
    assert metrics['anet/AR@100'] == metrics['AR@100'] == 0
    found = json.loads((data / 'results.json').read_text())['results']
    assert set(map(str, found.values())) == {"[{'segment': [0.0, 0.0], 'score': 0.0}]"}


# what does not fit


def packed_by_mmaction(**gt):
    sample = ActionDataSample(metainfo=dict(video_name='v_a'))
    if gt:
        sample.gt_instances = InstanceData(**gt)
    return dict(inputs=[torch.rand(CHANNELS, STEPS)], data_samples=[sample])


@pytest.mark.parametrize('cfg', [single_stage(), encoded()], ids=lambda m: m['type'])
def test_samples_of_its_pipelines_do_not_fit_ours(cfg):
    model = MODELS.build(cfg)
    with pytest.raises(ValueError, match='video v_a: gt_instances has `gt_bbox` where `segments` '
                                         "in grid steps go: .*type='ActivityNetToTAL'"):
        model.data_preprocessor(packed_by_mmaction(gt_bbox=torch.rand(1, 2)), True)
    with pytest.raises(ValueError, match="video 'v_a' has no `grid` in its metainfo, which places "
                                         "segments in seconds: .*type='ActivityNetToTAL'"):
        model.eval().val_step(packed_by_mmaction())


LOAD = dict(type='LoadTALFeature')


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
