"""MMAction2's data set before our localizers, ours before its localizers, its metric and ours."""
import json

import numpy as np
import pytest
import torch
from mixed_data import (
    CHANNELS,
    CLASSES,
    LOAD,
    LOAD_THEIRS,
    NMS,
    PACK,
    SPEC,
    STEPS,
    STOCK,
    anet_dataset,
    anet_metric,
    encoded,
    make_mixed,
    runner,
    single_stage,
    stock_pipeline,
    tal_dataset,
    tal_metric,
)
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.structures import InstanceData


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


def test_files_of_unequal_length(data, proposals, tmp_path):
    """CSV files as they came from a network: ours take any length, or resize them."""
    (tmp_path / 'csv').mkdir()
    for name in (data / 'csv').iterdir():
        rows = np.load(data / 'features' / f'{name.stem}.npy')
        np.savetxt(tmp_path / 'csv' / name.name, rows, delimiter=',', header='x', comments='')
    load = [LOAD_THEIRS, dict(type='ActivityNetToTAL')]
    resized = [*load, dict(type='ResizeFeature', length=STEPS)]
    for model, pipeline in (
            (single_stage(1), [*load, PACK]), (encoded('BMN'), [*resized, PACK]),
            (encoded('TCANet'), [*resized, proposals, PACK])):
        sets = [anet_dataset(data, subset, pipeline) for subset in ('train', 'test')]
        for dataset in sets:
            dataset['data_prefix'] = dict(video=str(tmp_path / 'csv'))
        run = runner(data, model, *sets, [tal_metric(data, 'ProposalMetric'), anet_metric(data)],
                     epochs=1, batches=(4, 4))
        run.train()
        dataset = run.train_dataloader.dataset
        lengths = {len(dataset[i]['inputs'].rows) for i in range(len(dataset))}
        assert len(lengths) > 4 if pipeline == [*load, PACK] else lengths == {STEPS}
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
    pipeline = [LOAD, *resize, dict(type='TALToActivityNet'), PACK]
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
    pipeline = [LOAD, dict(type='TALToActivityNet'), PACK]
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
