"""The HAPT comparisons build and differ from their base in what their name says."""
import pytest
from config_models import CONFIGS, build, load
from mmengine.runner import Runner

from cltdr_mm.engine import folds

FOLDER = CONFIGS / 'hapt'
NAMES = sorted(p.relative_to(FOLDER).with_suffix('').as_posix() for p in FOLDER.rglob('*.py'))


def test_all_are_seen():
    assert len([n for n in NAMES if n.startswith('switches/')]) == 13
    assert len([n for n in NAMES if n.startswith('swaps/')]) == 6


@pytest.mark.parametrize('name', NAMES)
def test_builds_and_differs(name):
    config = load(f'hapt/{name}')
    model = build(config)
    assert model.head.num_classes == 12
    base = 'cltdr_hapt'
    if name == 'swaps/gmg_actionformer':
        base = 'actionformer_hapt'
    elif name in ('swaps/gmg_trident', 'finer_boundaries', 'best_hapt'):
        base = 'tridet_hapt'
    elif name == 'switches/hapt_logo_eq7':
        base = 'logo_hapt'
    base = load(base)
    assert config.model != base.model
    for part in ('train_cfg', 'optim_wrapper', 'param_scheduler', 'train_dataloader'):
        if name != 'best_hapt' or part != 'train_dataloader':  # which has features of its own
            assert config[part] == base[part], 'one recipe for all'


def test_best_reads_the_same_recordings_at_half_the_stride():
    config, base = load('hapt/best_hapt'), load('hapt/finer_boundaries')
    assert config.model.head.regression_ranges[:-2] == [
        (0, 4), (4, 8), (8, 16), (16, 32), (32, 64)]
    for name in ('train', 'test'):
        ours, theirs = (cfg[f'{name}_dataloader'].dataset for cfg in (config, base))
        different = {key for key in ours if ours[key] != theirs[key]}
        assert different == {'data_root', 'feature_stride', 'feature_window', 'feature_dim'}
        assert ours.feature_dim == 3 * ours.feature_window
    assert config.test_evaluator.ann_file == ours.data_root + ours.ann_file
    model = build(config)
    assert model.head.refinement is not None and model.head.quality is not None


#: Every config that reads HAPT.
OF_HAPT = sorted(path.relative_to(CONFIGS).with_suffix('').as_posix() for path in (
    *CONFIGS.glob('*_hapt.py'), *(CONFIGS / 'encoded').glob('*_hapt.py'),
    *(CONFIGS / 'mix').glob('*_hapt.py'), *FOLDER.rglob('*.py')))


def test_all_of_hapt_are_seen():
    assert set(OF_HAPT) == {
        path.relative_to(CONFIGS).with_suffix('').as_posix() for path in CONFIGS.rglob('*.py')
        if '_base_' not in path.parts and 'hapt' in path.relative_to(CONFIGS).as_posix()}
    assert len(OF_HAPT) > 35


@pytest.mark.parametrize('name', OF_HAPT)
def test_no_training_looks_at_test_people(name):
    cfg = load(name)
    assert cfg.val_cfg is cfg.val_dataloader is cfg.val_evaluator is None
    assert cfg.train_dataloader.dataset.subset == 'train'
    assert cfg.default_hooks.checkpoint.get('save_best') is None
    if 'ann_file' not in cfg.test_evaluator:  # writes what the next step trains on, of all videos
        with pytest.raises(ValueError, match=f'{cfg.test_evaluator.type} has no ann_file'):
            folds.set_fold(cfg, 1)
        return
    folds.set_fold(cfg, 1)
    read = [cfg[f'{name}_dataloader'].dataset for name in ('train', 'val', 'test')]
    assert {part.ann_file for part in read} == {'annotations_fold1.json'}
    assert [part.subset for part in read] == ['train', 'validation', 'validation']
    assert "'test'" not in cfg.pretty_text


@pytest.mark.parametrize('name', ['cltdr_hapt', 'encoded/tem_hapt', 'hapt/best_hapt'])
def test_the_stock_runner_takes_a_config_without_validation(name, tmp_path):
    cfg = load(name)
    cfg.work_dir = str(tmp_path)
    assert Runner.from_cfg(cfg).val_loop is None


@pytest.mark.parametrize('name, backbone, head', [
    ('gmg_actionformer', 'GMG', 'ActionFormerHead'), ('gmg_trident', 'GMG', 'TridentHead'),
    ('actionformer_cltdr', 'ActionFormer', 'CLTDRHead'), ('tridet_cltdr', 'SGP', 'CLTDRHead'),
    ('temporalmaxer_cltdr', 'TemporalMaxer', 'CLTDRHead')])
def test_swaps(name, backbone, head):
    model = build(load(f'hapt/swaps/{name}'))
    assert type(model.backbone).__name__ == backbone
    assert type(model.head).__name__ == head
    # an encoder comes with its neck
    groups = 'GroupNorm' in str(model.neck)
    assert groups == (backbone == 'TemporalMaxer')


@pytest.mark.parametrize('name, parts', [
    ('backbone', {'backbone'}), ('head', {'head'}), ('all', {'backbone', 'head'})])
def test_release_parts(name, parts):
    """Parts have the values of configs/release, but for those that depend on the data set."""
    ours, base = load(f'hapt/switches/hapt_{name}').model, load('cltdr_hapt').model
    release = load('release/_base_/cltdr_gmg').model
    for part in ('backbone', 'head'):
        changed = {key for key, value in ours[part].items() if base[part].get(key) != value}
        same = {key for key in changed if release[part].get(key) == ours[part][key]}
        assert (len(same) >= 5) == (part in parts), part
        # the head of HAPT leaves its kernels of 3 to the defaults
        assert changed - same <= {'init_std', 'refine_kernel_sizes'}
    model = build(load(f'hapt/switches/hapt_{name}'))
    assert (model.data_preprocessor.pad_to == 2304) == (name == 'all')


#: What is left of the published objective: coarse half, DIoU, IoU power, IoU as target, N_neg.
OBJECTIVES = dict(
    cltdr_hapt=(True, 'DIoU1DLoss', .2, False, False),
    no_coarse=(False, 'DIoU1DLoss', .2, False, False),
    iou_loss=(True, 'IoU1DLoss', .2, False, False),
    iou_targets=(True, 'DIoU1DLoss', 0., True, False),
    balance=(True, 'DIoU1DLoss', .2, False, True),
    eq13=(False, 'IoU1DLoss', 1., False, False),
    eq13_literal=(False, 'IoU1DLoss', 1., False, True),
    logo_hapt=(False, 'GIoU1DLoss', 1., False, False),
    logo_eq7=(False, 'GIoU1DLoss', 1., False, True))


@pytest.mark.parametrize('name', OBJECTIVES)
def test_objectives(name):
    head = build(load(name if name.endswith('_hapt') else f'hapt/switches/hapt_{name}')).head
    options = head.loss_options
    found = (getattr(head, 'loss_coarse', None) is not None, type(head.loss_reg).__name__,
             options.iou_power, options.iou_targets, options.balance_negatives)
    assert found == OBJECTIVES[name]
    assert options.detach_iou
    assert getattr(head, 'normalizer_moves', 'step') == 'step'
    assert head.loss_cls.alpha == 0.25
