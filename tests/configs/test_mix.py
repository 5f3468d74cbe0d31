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
    assert {p.stem for p in (CONFIGS / 'mix').glob('*.py')} == {*STOCK, 'cltdr_anet_feature'}


@pytest.mark.parametrize('name', STOCK)
def test_a_stock_localizer_on_our_data(name, tmp_path):
    cfg, (kind, theirs) = load(f'mix/{name}'), STOCK[name]
    assert MODELS.get(cfg.model.type).__module__.startswith('mmaction.')
    for key in LOADERS:
        loader = cfg[key]
        assert DATASETS.get(loader.dataset.type).__module__.startswith('cltdr_mm.')
        steps = {step.type: step for step in loader.dataset.pipeline}
        assert [*steps][-3:] == ['TALToActivityNet', 'GenerateLocalizationLabels',
                                 'PackLocalizationInputs']
        assert ('LoadTALProposals' in steps) == (kind == 'TCANet')
        assert steps['ResizeFeature'].length == cfg.model.temporal_dim
        assert key == 'train_dataloader' or kind == 'TEM' or loader.batch_size == 1
    assert cfg.val_evaluator.type == cfg.test_evaluator.type == 'ProposalMetric'
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
    assert cfg.default_hooks.checkpoint.save_best == 'auc'
    assert cfg.auto_scale_lr.base_batch_size == cfg.train_dataloader.batch_size
