"""What every CLTDR config resolves to: supplement C, and one objective on all data sets."""
import functools
import inspect
from typing import NamedTuple

import config_models
import pytest
from config_models import CONFIGS, build, millions
from mmaction.registry import MODELS
from mmengine.config import Config

from cltdr_mm.models import CLTDRHead, PointHead


class Row(NamedTuple):
    """Settings of a full model."""

    channels: int
    # supplement C, which leaves out HACS's warm-up; HAPT's and the demo's are ours
    lr: float
    batch: int
    epochs: int
    warmup: int
    decay: float
    bins: int
    # not in the paper: the published values of each data set; where none is, the class's default
    power: float
    kernel: int
    init_std: float


ROWS = dict(
    cltdr_thumos=Row(2048, 1e-4, 2, 40, 20, .035, 16, .2, 1, 0.),
    cltdr_thumos_videomaev2=Row(1408, 1e-4, 2, 62, 30, .055, 16, .2, 1, 0.),
    cltdr_thumos_internvideo2=Row(3200, 1e-4, 2, 57, 32, .05, 16, .2, 1, 0.),
    cltdr_multithumos=Row(2048, 1.5e-4, 2, 60, 25, .03, 16, .2, 1, 0.),
    cltdr_multithumos_rgb=Row(1024, 1.5e-4, 2, 60, 25, .03, 16, .2, 1, 0.),
    cltdr_multithumos_videomaev2=Row(1408, 1.5e-4, 2, 60, 25, .03, 16, .25, 1, 0.),
    cltdr_epic_verb=Row(2304, 1e-4, 2, 28, 10, .05, 16, .25, 5, 0.),
    cltdr_epic_noun=Row(2304, 1e-4, 2, 25, 16, .04, 16, .25, 5, 0.),
    cltdr_anet_tsp=Row(512, 1e-3, 16, 15, 10, .045, 12, 1., 15, .2),
    cltdr_anet_i3d=Row(2048, 1e-3, 16, 15, 10, .045, 12, 1., 15, .2),
    cltdr_hacs_i3d=Row(2048, 1e-3, 16, 17, 12, .03, 14, 1., 15, .1),
    cltdr_hacs_slowfast=Row(2304, 1e-3, 16, 15, 10, .03, 14, 1., 3, .1),
    # ActionFormer's recipe there, with what CLTDR has on the data set named in the config
    cltdr_charades=Row(1024, 1e-4, 16, 15, 5, .05, 16, .2, 1, 0.),
    cltdr_ego4d_mq=Row(1024, 1e-4, 2, 20, 5, .05, 16, .25, 5, 0.),
    cltdr_fineaction=Row(1408, 1e-3, 16, 15, 5, .05, 12, 1., 15, .2),
    cltdr_epic_sounds=Row(2304, 1e-4, 2, 25, 5, .05, 16, .25, 5, 0.),
    cltdr_hapt=Row(150, 5e-4, 2, 35, 5, .05, 16, .2, 3, None),
    cltdr_synthetic=Row(64, 1e-3, 4, 10, 2, .05, 16, .2, 3, None))

#: Data sets with another number of levels than 6, and those with smoothed labels.
LEVELS = dict(anet=7, hacs=7, charades=7, fineaction=7, epic_sounds=7, ego4d=10)
SMOOTHED = 'anet', 'hacs', 'fineaction', 'epic_sounds'

#: Configs whose objective is another, by what they are for.
OTHER_OBJECTIVES = {f'hapt/switches/hapt_{name}' for name in (
    'balance', 'eq13', 'eq13_literal', 'iou_loss', 'iou_targets', 'no_coarse', 'logo_eq7')}
NAMES = sorted(path.relative_to(CONFIGS).with_suffix('').as_posix()
               for path in CONFIGS.rglob('*.py') if '_base_' not in path.parts)
OURS = [name for name in NAMES if not name.startswith('release/')]
#: HAPT's comparisons that take the head as published.
PUBLISHED_HEAD = ('hapt/switches/hapt_all', 'hapt/switches/hapt_head')

load = functools.cache(config_models.load)


@functools.cache
def model_of(name: str):
    return build(load(name))


def head_of(cfg: Config) -> dict:
    head = cfg.model.get('head', {})
    return head.get('head', head)


def of_class(kind: type) -> list[str]:
    """Our configs with such a head, by its registered name."""
    return [name for name in OURS
            if issubclass(MODELS.get(head_of(load(name)).get('type', 'TEM')), kind)]


CLTDR = of_class(CLTDRHead)


def data_of(name: str) -> tuple:
    """Data set and features."""
    data = load(name).train_dataloader.dataset
    return data.type, data.get('feature_dim')  # MMAction2's data set does not say it


def test_every_full_model_has_a_row():
    assert {name for name in CLTDR if name.startswith('cltdr_')} == set(ROWS)
    assert len(CLTDR) > 90  # with ablations and HAPT's comparisons


@pytest.mark.parametrize('name', ROWS)
def test_full_models(name):
    cfg, row, model = load(name), ROWS[name], model_of(name)
    backbone, head = cfg.model.backbone, model.head
    defaults = inspect.signature(type(model.backbone).__init__).parameters
    optimizer = cfg.optim_wrapper.optimizer
    found = Row(
        backbone.in_channels, optimizer.lr, cfg.train_dataloader.batch_size,
        cfg.train_cfg.max_epochs, cfg.param_scheduler.warmup, optimizer.weight_decay,
        head.num_bins, head.loss_options.iou_power,
        *(backbone.get(key, defaults[key].default) for key in ('kernel_size', 'init_std')))
    assert found == row
    assert optimizer.type == 'AdamW'
    assert head.num_levels == next((n for data, n in LEVELS.items() if data in name), 6)
    for block in (*model.backbone.stem, *model.backbone.branch):
        assert block.convw.weight.shape[-1] == row.kernel
        assert block.gate_act == 'relu' and block.global_mixer.norm == 'ortho'


@pytest.mark.parametrize('name', CLTDR)
def test_objective(name):
    """0.7 refined varifocal times IoU^p + 0.3 focal, DIoU, one division, on every data set."""
    head = model_of(name).head
    options = head.loss_options
    assert head.loss_cls.alpha == 0.25 and not head.loss_cls.positives_by_target
    assert type(head.loss_cls).__name__ == 'TALVarifocalLoss'
    published = name in PUBLISHED_HEAD
    assert options.detach_iou != published
    assert head.normalizer_moves == ('half' if published else 'step')
    assert options.label_smoothing == (0.1 if any(data in name for data in SMOOTHED) else 0)
    if name not in OTHER_OBJECTIVES:
        assert type(head.loss_coarse).__name__ == 'TALFocalLoss' and head.loss_coarse.alpha == 0.25
        assert head.coarse_weight == 0.3
        assert type(head.loss_reg).__name__ == 'DIoU1DLoss'
        assert not options.iou_targets and not options.balance_negatives
        # p belongs to the data set
        powers = {data_of(full): row.power for full, row in ROWS.items()}
        powers['ActivityNetDataset', None] = 1.
        assert options.iou_power == powers[data_of(name)]


@pytest.mark.parametrize('name', CLTDR)
def test_kernels_of_the_fusions_and_the_refine_head(name):
    """3 everywhere (supplement C), also on HACS, whose towers have 5; depth-wise."""
    head = model_of(name).head
    kernels = {}
    if head.refine:
        layers = dict(head.refine_head.named_modules())
        kernels = {key: layers[key].conv.weight.shape[-1] for key in (
            'cls_out', 'start_out', 'end_out') if key in layers}
        kernels['trunk'] = head.refine_head.trunk.convs[0].conv.weight.shape[-1]
    published = 7 if name.split('hapt_')[-1] in ('all', 'head', 'refine_kernel7') else 3
    for key, kernel in kernels.items():
        assert kernel == (published if key.endswith(('start_out', 'end_out')) else 3), key
    if name not in PUBLISHED_HEAD:
        for module in (head.dcm, head.drm):
            for layer in (*module.resample.values(), *getattr(module, 'own', {}).values()):
                weight = next(p for p in layer.parameters() if p.dim() == 3)
                assert weight.shape[-1] == 3 and 1 in weight.shape[:2]


def test_sizes_are_the_papers():
    """Tables 15 and 8; both counts are the same with a local kernel of 3."""
    for kernel in (1, 3):
        cfg = config_models.load('cltdr_thumos')
        cfg.model.backbone.kernel_size = kernel
        model = build(cfg)
        assert f'{millions(model):.1f}' == '17.6' and f'{millions(model.backbone):.1f}' == '9.5'


@pytest.mark.parametrize('name', of_class(PointHead))
def test_negatives_are_divided_as_positives_are(name):
    """1 / N_neg is printed by three papers and computed by no published code."""
    literal = name.split('hapt_')[-1] in ('balance', 'eq13_literal', 'logo_eq7')
    assert bool(head_of(load(name)).get('balance_negatives')) == literal


@pytest.mark.parametrize('name', NAMES)
def test_averaged_weights_warm_up(name):
    """But for published recipes, which keep 0.999 from the first step on."""
    ema = load(name).default_hooks.ema
    wanted = 'ExponentialMovingAverage' if name.startswith('release/') else 'WarmupEMA'
    assert (ema.ema_type, ema.momentum) == (wanted, 0.001)
    text = (CONFIGS / f'{name}.py').read_text('utf-8')
    assert 'ema=' not in text  # said once, in _base_


@pytest.mark.parametrize('ours, published', [
    ('cltdr_thumos', 'thumos_i3d_focalloss'), ('cltdr_thumos_videomaev2', 'thumos_videomae'),
    ('cltdr_thumos_internvideo2', 'thumos_intervideo_vflloss'),
    ('cltdr_multithumos', 'multithumos_i3d'),
    ('cltdr_multithumos_rgb', 'multithumos_i3d_rgb_only_focalloss'),
    ('cltdr_multithumos_videomaev2', 'multithumos_videomae_vflloss'),
    ('cltdr_epic_verb', 'epic_slowfast_verb_vflloss'),
    ('cltdr_epic_noun', 'epic_slowfast_noun_focalloss'), ('cltdr_anet_tsp', 'anet_tsp'),
    ('cltdr_hacs_i3d', 'hacs_i3d_focalloss'), ('cltdr_hacs_slowfast', 'hacs_slowfast_focalloss')])
def test_what_the_paper_leaves_open_is_as_published(ours, published):
    """One rule for the local kernel and the start of the depth-wise weights, on all data sets."""
    ours_cfg, theirs = load(ours), load(f'release/cltdr_gmg/{published}')
    for key in ('kernel_size', 'init_std', 'ffn_dims', 'embed_dims'):
        assert ours_cfg.model.backbone[key] == theirs.model.backbone[key], key
    # recipes are the paper's, which swaps those of EPIC's verbs and nouns
    recipe, other = ((cfg.train_cfg.max_epochs, cfg.param_scheduler.warmup,
                      cfg.optim_wrapper.optimizer.weight_decay) for cfg in (ours_cfg, theirs))
    assert recipe[0] == other[0]
    assert (recipe[1:] != other[1:]) == ('epic' in ours)
    assert build(theirs).head.loss_options.detach_iou is False


@pytest.mark.parametrize('data', ['charades', 'ego4d_mq', 'fineaction', 'epic_sounds'])
def test_recipe_of_ours_is_that_of_actionformer(data):
    """On data sets that the paper does not have."""
    ours, theirs = load(f'cltdr_{data}'), load(f'actionformer_{data}')
    for key in ('train_cfg', 'param_scheduler', 'optim_wrapper', 'auto_scale_lr',
                'train_dataloader', 'val_dataloader', 'val_evaluator', 'test_evaluator'):
        assert ours[key] == theirs[key], key
    assert 'recipe ours' in (CONFIGS / f'cltdr_{data}.py').read_text('utf-8').splitlines()[0]
    for key in ('input_dropout', 'in_channels'):
        assert ours.model.backbone.get(key) == theirs.model.backbone.get(key)
    if data != 'fineaction':  # there CLTDR has its own of ActivityNet
        assert model_of(f'cltdr_{data}').head.regression_ranges == \
            model_of(f'actionformer_{data}').head.regression_ranges
        assert ours.model.postprocessor == theirs.model.postprocessor
        assert ours.model.head.get('assigner') == theirs.model.head.get('assigner')


def test_epic_recipes_are_swapped():
    def recipe(name):
        cfg = load(name)
        return cfg.param_scheduler.warmup, cfg.optim_wrapper.optimizer.weight_decay

    assert recipe('cltdr_epic_verb') == (10, .05)
    assert recipe('cltdr_epic_noun') == (16, .04)
    assert recipe('release/cltdr_gmg/epic_slowfast_verb_vflloss') == (16, .04)
    assert recipe('release/cltdr_gmg/epic_slowfast_noun_focalloss') == (10, .05)


def test_no_file_repeats_a_default():
    """A config says what differs."""
    for path in CONFIGS.rglob('*.py'):
        if 'release' not in path.parts:
            text = path.read_text('utf-8')
            assert "fft_norm='ortho'" not in text, path
            assert 'balance_negatives=False' not in text and 'iou_targets=False' not in text, path
