"""BSN's three steps: TEM, as it is or behind our encoder, `cltdr proposals`, PEM."""
import json

import numpy as np
import pytest
import torch
from mixed_data import CHANNELS, META_KEYS, SPEC, STEPS, make_mixed, runner, tal_dataset, tal_metric
from mmaction.registry import DATASETS, METRICS, MODELS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate

from cltdr_mm import cli
from cltdr_mm.apis.running.bsn_proposals import make_proposals
from cltdr_mm.datasets import TALDataError
from cltdr_mm.engine.hooks.setup_check import check_parts
from cltdr_mm.structures import segment_iou

TEM = dict(type='TEM', temporal_dim=STEPS, boundary_ratio=0.1, tem_feat_dim=CHANNELS,
           tem_hidden_dim=32, tem_match_threshold=0.5, conv3_ratio=1)
PEM = dict(type='PEM', pem_feat_dim=32, pem_hidden_dim=64, pem_u_ratio_m=1, pem_u_ratio_l=2,
           pem_high_temporal_iou_threshold=0.6, pem_low_temporal_iou_threshold=0.2,
           soft_nms_alpha=0.75, soft_nms_low_threshold=0.65, soft_nms_high_threshold=0.9,
           post_process_top_k=100)
LOAD = [dict(type='LoadTALFeature'), dict(type='ResizeFeature', length=STEPS)]
TO_MMACTION = [*LOAD, dict(type='TALToActivityNet')]


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    return make_mixed(tmp_path_factory.mktemp('bsn'))


def tem_of(kind, folder):
    """Model, pipeline, and the metric that writes its curves to folder."""
    if kind == 'stock':
        pipeline = [*TO_MMACTION, dict(type='GenerateLocalizationLabels'),
                    dict(type='PackLocalizationInputs', keys=('gt_bbox', ), meta_keys=META_KEYS)]
        return TEM, pipeline, dict(type='ANetMetric', metric_type='TEM', dump_config=dict(
            out=str(folder), output_format='csv'))
    model = dict(
        type='EncodedLocalizer', localizer=dict(TEM, tem_feat_dim=32),
        backbone=dict(type='GMG', in_channels=CHANNELS, embed_dims=32, arch=(1, 1, 2),
                      ffn_dims=48),
        neck=dict(type='IdentityNeck'), postprocessor=dict(type='TALPostProcessor'))
    return (model, [*LOAD, dict(type='PackTALInputs')],
            dict(type='TEMCurves', out_dir=str(folder)))


def pem_datasets(data, folder, top_k=(60, 200)):
    """Training and test set of PEM."""
    found = []
    for subset, number, keys in (
            ('train', top_k[0], ('reference_temporal_iou', 'bsp_feature')),
            ('test', top_k[1], ('tmin', 'tmax', 'tmin_score', 'tmax_score', 'bsp_feature'))):
        load = dict(type='LoadProposals', top_k=number,
                    pgm_proposals_dir=str(folder / 'pgm_proposals'),
                    pgm_features_dir=str(folder / 'pgm_features'))
        pack = dict(type='PackLocalizationInputs', keys=keys, meta_keys=META_KEYS)
        found.append(tal_dataset(data, subset, [*TO_MMACTION, load, pack]))
    return found


def as_config(train, test):
    """What `cltdr proposals` reads."""
    loader = dict(batch_size=1, num_workers=0)
    return Config(dict(train_dataloader=dict(loader, dataset=train), default_scope='mmaction',
                       test_dataloader=dict(loader, dataset=test)))


@pytest.fixture(scope='module', params=['stock', 'encoded'])
def bsn(request, data, tmp_path_factory):
    """Folder of the curves of a trained TEM and the proposals that are made of them."""
    folder = tmp_path_factory.mktemp(request.param)
    model, pipeline, writer = tem_of(request.param, folder / 'curves')
    both = dict(tal_dataset(data, 'test', pipeline), subset=['train', 'test'])
    run = runner(folder, model, tal_dataset(data, 'train', pipeline), both, [writer], epochs=8,
                 batches=(4, 4))
    run.train()
    assert run.test() == {}  # nothing is judged
    train, test = pem_datasets(data, folder)
    if request.param == 'stock':
        counts = make_proposals(as_config(train, test), folder / 'curves')
        assert counts['videos'] == 22 and counts['proposals'] > 22 * 20
    else:
        as_config(train, test).dump(folder / 'pem.json')
        cli.main(['proposals', str(folder / 'pem.json'), str(folder / 'curves'), '--workers', '2'])
    return folder


def test_all_three_steps_beat_chance(bsn, data):
    names = sorted(path.stem for path in (bsn / 'curves').iterdir())
    assert len(names) == SPEC.num_train + SPEC.num_test
    judge = tal_metric(data, 'ProposalMetric')
    run = runner(bsn, PEM, *pem_datasets(data, bsn), [judge], epochs=15, lr=1e-2)
    run.register_custom_hooks([dict(type='FastSoftNMSHook')])
    run.train()
    found = run.test()
    # as many random segments, by random scores
    chance = METRICS.build(judge)
    rng, predictions = np.random.default_rng(0), []
    database = json.loads((data / 'annotations.json').read_text())['database']
    for name in names[:SPEC.num_test]:
        segments = np.sort(rng.random((100, 2)) * database[name]['duration'], axis=1)
        predictions.append(dict(video_name=name, pred_instances=dict(
            segments=segments, scores=rng.random(100))))
    chance.process(dict(data_samples=[]), predictions)
    guessed = chance.evaluate(SPEC.num_test)
    assert found['AUC'] > max(0.7, guessed['AUC'] + 0.2)  # 0.83 and 0.88, 0.49 by chance
    assert found['AR@5'] > guessed['AR@5'] + 0.4
    # what PEM itself learned: the tIoU of a proposal from its features
    features, tious = [], []
    for name in names[:SPEC.num_test]:
        features.append(np.load(bsn / 'pgm_features' / f'{name}.npy'))
        rows = np.loadtxt(bsn / 'pgm_proposals' / f'{name}.csv', delimiter=',', skiprows=1)
        tious.append(rows[:len(features[-1]), 5])
    with torch.no_grad():
        said = run.model([torch.from_numpy(np.concatenate(features)).float()], None, 'tensor')
    assert np.corrcoef(said.ravel(), np.concatenate(tious))[0, 1] > 0.3  # 0.46 and 0.78


def test_files_are_those_of_mmaction(bsn, data):
    """Fractions that come to seconds: the tIoU in a file is that of the annotations."""
    folder = bsn
    database = json.loads((data / 'annotations.json').read_text())['database']
    for name in ('test_00000', 'train_00003'):
        text = (folder / 'curves' / f'{name}.csv').read_text()
        assert text.startswith('action,start,end,tmin,tmax\n')
        curves = np.loadtxt(folder / 'curves' / f'{name}.csv', delimiter=',', skiprows=1)
        assert curves.shape == (STEPS, 5)
        np.testing.assert_allclose(curves[:, 4], np.arange(1, STEPS + 1) / STEPS)
        rows = np.loadtxt(folder / 'pgm_proposals' / f'{name}.csv', delimiter=',', skiprows=1)
        assert (np.diff(rows[:, 4]) <= 0).all() and (rows[:, 0] < rows[:, 1]).all()
        features = np.load(folder / 'pgm_features' / f'{name}.npy')
        assert features.shape == (min(len(rows), 200 if name[1] == 'e' else 60), 32)
        video = database[name]
        truth = np.array([action['segment'] for action in video['annotations']])
        tious = segment_iou_of(rows[:, :2] * video['duration'], truth)
        np.testing.assert_allclose(rows[:, 5], tious, atol=1e-6)


def segment_iou_of(segments, truth):
    """(M,) largest tIoU of each segment with any action."""
    return segment_iou(torch.tensor(segments), torch.tensor(truth)).amax(1).numpy()


def test_curves_of_both_are_their_models_own(data, tmp_path):
    """TEMCurves and ANetMetric write one and the same of TEM."""
    model, pipeline, theirs = tem_of('stock', tmp_path / 'theirs')
    run = runner(tmp_path, model, tal_dataset(data, 'train', pipeline),
                 tal_dataset(data, 'test', pipeline),
                 [theirs, dict(type='TEMCurves', out_dir=str(tmp_path / 'ours'))], batches=(4, 4))
    run.test()
    for path in (tmp_path / 'theirs').iterdir():
        assert (tmp_path / 'ours' / path.name).read_text() == path.read_text()


def test_curves_of_what_is_not_tem(data):
    writer = METRICS.build(dict(type='TEMCurves', out_dir='nowhere'))
    with pytest.raises(ValueError, match="prediction of video 'v' has no curves: the localizer"):
        writer.process({}, [dict(video_name='v')])
    with pytest.raises(ValueError, match="video 'v' comes in windows"):
        writer.process({}, [dict(video_name='v', curves=np.ones((4, 5)), num_windows=2)])


# what can be wrong

FEW = (4, 4)  # proposals with features: they take the time


def curves_for(folder, names, rows=None):
    """Files as TEM writes them, of made-up numbers."""
    folder.mkdir(exist_ok=True)
    for number, name in enumerate(names):
        values = np.random.default_rng(number).random((STEPS, 5))**6 if rows is None else rows
        np.savetxt(folder / f'{name}.csv', values, delimiter=',', comments='',
                   header='action,start,end,tmin,tmax')


def names_of(subset, count):
    return [f'{subset}_{i:05d}' for i in range(count)]


def test_curves_that_are_missing_or_spoiled(data, tmp_path):
    """All are named before anything is written."""
    config = as_config(*pem_datasets(data, tmp_path, FEW))
    config.dump(tmp_path / 'pem.json')
    with pytest.raises(SystemExit) as end:
        cli.main(['proposals', str(tmp_path / 'pem.json'), str(tmp_path / 'gone')])
    error = end.value.code
    assert error.startswith('error: making proposals: 22 problems')
    assert "train_00000.csv: video 'train_00000': curves: there is no such file" in error
    assert 'a test of TEM by ANetMetric or TEMCurves writes the curves' in error
    curves_for(tmp_path / 'curves', names_of('train', 16) + names_of('test', 6))
    for name, values, message in (
            ('test_00002', np.full((STEPS, 5), np.nan), 'hold NaN or infinity'),
            ('test_00003', np.ones((STEPS, 4)), 'must have 5 columns .*, got 4 and 48')):
        curves_for(tmp_path / 'curves', [name], values)
        with pytest.raises(TALDataError, match=f"video '{name}': curves: {message}"):
            make_proposals(config, tmp_path / 'curves')
        curves_for(tmp_path / 'curves', [name])
    assert not (tmp_path / 'pgm_proposals').exists()


def test_a_video_without_actions_and_one_of_a_single_proposal(data, tmp_path):
    content = json.loads((data / 'annotations.json').read_text())
    content['database']['test_00001']['annotations'] = []
    (tmp_path / 'annotations.json').write_text(json.dumps(content))
    train, test = pem_datasets(data, tmp_path, FEW)
    train['ann_file'] = test['ann_file'] = str(tmp_path / 'annotations.json')
    curves_for(tmp_path / 'curves', names_of('train', 16) + names_of('test', 6))
    single = np.linspace(0, .01, STEPS)[:, None].repeat(5, axis=1)
    single[:, 1], single[0, 1], single[-1, 2] = single[::-1, 0], 1, 1
    curves_for(tmp_path / 'curves', ['test_00002'], single)
    make_proposals(as_config(train, test), tmp_path / 'curves')
    rows = np.loadtxt(tmp_path / 'pgm_proposals' / 'test_00001.csv', delimiter=',', skiprows=1)
    assert len(rows) > 20 and (rows[:, 5:] == 0).all()
    dataset = DATASETS.build(test)
    with torch.no_grad():
        result, = MODELS.build(PEM).eval().test_step(pseudo_collate([dataset[2]]))
    assert result['video_name'] == 'test_00002'
    assert len({tuple(proposal['segment']) for proposal in result['proposal_list']}) == 1


def test_a_config_without_proposals(data, tmp_path):
    cfg = as_config(*[tal_dataset(data, subset, LOAD) for subset in ('train', 'test')])
    with pytest.raises(ValueError, match='no data set of the config has LoadProposals'):
        make_proposals(cfg, tmp_path)
    train, test = pem_datasets(data, tmp_path, FEW)
    train['pipeline'] = [*LOAD, *train['pipeline'][3:]]
    with pytest.raises(TALDataError, match=r"video 'train_0\d+': duration_second, duration_frame, "
                       "feature_frame: missing before LoadProposals: dict.type='TALToActivityNet'"):
        make_proposals(as_config(train, test), tmp_path)


def test_pem_says_what_it_lacks(data, tmp_path):
    """In one line, as SetupCheckHook asks before a run."""
    train, test = pem_datasets(data, tmp_path, FEW)

    def refused(message, config=train, width=32, batch_size=1):
        dataset = DATASETS.build(config)
        judges = None if config is train else [METRICS.build(tal_metric(data, 'ProposalMetric'))]
        with pytest.raises(TALDataError, match=f'the data do not fit PEM: .*{message}') as error:
            check_parts(MODELS.build(dict(PEM, pem_feat_dim=width)), dataset, judges, batch_size)
        assert '\n' not in str(error.value)

    refused(r"video 'train_\d+': proposals: .*train_\d+.csv not found.: `cltdr proposals CONFIG "
            'CURVES` writes them')
    curves_for(tmp_path / 'curves', names_of('train', 16) + names_of('test', 6))
    make_proposals(as_config(train, test), tmp_path / 'curves')
    refused('bsp_feature: has 32 numbers a proposal, but PEM takes 48', width=48)
    refused('batch_size: is 2, but PEM gives the proposals of a batch to its first video', test,
            batch_size=2)
    train['pipeline'][-1] = dict(train['pipeline'][-1], keys=('bsp_feature', ))
    refused('reference_temporal_iou: missing, but PEM needs it')
    test['pipeline'][-1] = dict(test['pipeline'][-1], meta_keys=('video_name', ))
    refused('duration_second, duration_frame: missing, but PEM needs it', test)


def test_stock_parts_are_mmactions():
    assert all(MODELS.get(kind).__module__.startswith('mmaction.') for kind in ('TEM', 'PEM'))
