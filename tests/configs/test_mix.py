"""configs/mix: whole parts of MMAction2 with whole parts of ours."""
import pytest
from config_models import CONFIGS, build, load
from mmaction.registry import DATASETS, METRICS, MODELS
from mmengine.config import Config

STOCK = dict(bmn_anet=('BMN', '_base_/models/bmn_400x100.py'),
             tem_hapt=('TEM', '_base_/models/bsn_tem.py'),
             tcanet_anet=('TCANet',
                          'localization/tcanet/tcanet_2xb8-700x100-9e_hacs-feature.py'))
LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')


def test_all_are_looked_at():
    assert {p.stem for p in (CONFIGS / 'mix').glob('*.py')} == {
        *STOCK, 'cltdr_anet_feature', 'bsn_tem_hapt', 'bsn_pem_hapt'}


@pytest.mark.parametrize('name', STOCK)
def test_a_stock_localizer_on_our_data(name, tmp_path):
    cfg, (kind, theirs) = load(f'mix/{name}'), STOCK[name]
    assert MODELS.get(cfg.model.type).__module__.startswith('mmaction.')
    assert (cfg.val_dataloader is None) == (name == 'tem_hapt')
    for key in LOADERS:
        loader = cfg[key]
        if loader is None:
            continue
        assert DATASETS.get(loader.dataset.type).__module__.startswith('cltdr_mm.')
        steps = {step.type: step for step in loader.dataset.pipeline}
        assert [*steps][-3:] == ['TALToActivityNet', 'GenerateLocalizationLabels',
                                 'PackLocalizationInputs']
        assert ('LoadTALProposals' in steps) == (kind == 'TCANet')
        assert steps['ResizeFeature'].length == cfg.model.temporal_dim
        assert key == 'train_dataloader' or kind == 'TEM' or loader.batch_size == 1
    assert cfg.test_evaluator.type == 'ProposalMetric'
    assert cfg.auto_scale_lr.base_batch_size % cfg.train_dataloader.batch_size == 0
    # MMAction2's values but for the width
    (tmp_path / 'theirs.py').write_text(f"_base_ = ['mmaction::{theirs}']\n")
    values, theirs = dict(cfg.model), dict(Config.fromfile(tmp_path / 'theirs.py').model)
    width = 'tem_feat_dim' if kind == 'TEM' else 'feat_dim'
    assert values.pop(width) == cfg.train_dataloader.dataset.feature_dim
    for key in ('_scope_', width, 'feature_extraction_interval'):
        theirs.pop(key, None)
    assert values == theirs
    if kind != 'BMN':  # its table of samples takes seconds
        assert type(MODELS.build(cfg.model)).__name__ == kind


def test_ours_on_the_data_set_of_mmaction():
    cfg = load('mix/cltdr_anet_feature')
    for key in LOADERS:
        dataset = cfg[key].dataset
        assert DATASETS.get(dataset.type).__module__.startswith('mmaction.')
        assert [step.type for step in dataset.pipeline] == [
            'LoadLocalizationFeature', 'ActivityNetToTAL', 'PackTALInputs']
    model = build(cfg)
    assert model.backbone.in_channels == 400 and model.head.num_classes == 1
    assert model.postprocessor.fusion is None
    metric = METRICS.build(dict(cfg.test_evaluator))
    assert type(metric).__module__.startswith('mmaction.')
    assert 'save_best' not in cfg.default_hooks.checkpoint  # judged by it
    assert cfg.auto_scale_lr.base_batch_size == cfg.train_dataloader.batch_size


BSN = 'mix', 'encoded'


@pytest.mark.parametrize('folder', BSN)
def test_curves_of_tem_are_of_all_videos(folder):
    """Trained as ever; what a test writes are the curves that `cltdr proposals` reads."""
    cfg, plain = load(f'{folder}/bsn_tem_hapt'), load(f'{folder}/tem_hapt')
    assert cfg.model == plain.model and cfg.train_dataloader == plain.train_dataloader
    assert set(cfg.test_dataloader.dataset.subset) == {'train', 'test'}
    writer = METRICS.build(dict(cfg.test_evaluator))
    assert writer.metric_type == 'TEM' and writer.output_format == 'csv'
    assert writer.out == cfg.work_dir.replace('/tem', '/tem_results')


@pytest.mark.parametrize('folder', BSN)
def test_pem_reads_what_becomes_of_them(folder, tmp_path):
    cfg = load(f'{folder}/bsn_pem_hapt')
    (tmp_path / 'theirs.py').write_text("_base_ = ['mmaction::_base_/models/bsn_pem.py']\n")
    assert cfg.model == Config.fromfile(tmp_path / 'theirs.py').model
    assert type(MODELS.build(cfg.model)).__module__.startswith('mmaction.')
    for key, top_k in (('train_dataloader', 500), ('test_dataloader', 1000)):
        resize, proposals, pack = (cfg[key].dataset.pipeline[i] for i in (1, 3, 4))
        assert resize.length == load(f'{folder}/bsn_tem_hapt').train_dataloader.dataset.pipeline[
            1].length
        assert (proposals.type, proposals.top_k) == ('LoadProposals', top_k)
        for kind in ('proposals', 'features'):
            assert proposals[f'pgm_{kind}_dir'] == cfg.work_dir.replace('/pem', f'/pgm_{kind}')
        assert pack.type == 'PackLocalizationInputs' and 'bsp_feature' in pack['keys']
    assert cfg.test_dataloader.batch_size == 1
    assert cfg.test_evaluator.type == 'ProposalMetric' and cfg.test_evaluator.subset == 'test'


@pytest.mark.parametrize('name', [
    'encoded/bmn_anet', 'encoded/bmn_hapt', 'encoded/bsn_pem_hapt', 'mix/bmn_anet',
    'mix/bsn_pem_hapt', 'mix/tcanet_anet'])
def test_where_mmaction_suppresses_it_does_so_by_our_soft_nms(name):
    assert [hook.type for hook in load(name).custom_hooks] == ['FastSoftNMSHook']


def test_each_has_folders_of_its_own():
    folders = {load(f'{folder}/bsn_{step}_hapt').work_dir for folder in BSN
               for step in ('tem', 'pem')}
    assert len(folders) == 4
