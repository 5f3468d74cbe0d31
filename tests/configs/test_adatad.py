"""AdaTAD's configs: full-sized models are built, without memory, and hold the published recipe."""
import copy
import functools
from typing import NamedTuple

import config_models
import pytest
from config_models import CONFIGS, build
from mmaction.registry import OPTIM_WRAPPER_CONSTRUCTORS, PARAM_SCHEDULERS, TRANSFORMS
from torch import nn

from cltdr_mm.engine import WarmupCosineLR


class Row(NamedTuple):
    """What is published of one training."""

    # the transformer
    size: str
    pixels: int
    blocks: tuple
    ratio: float
    # video: frames a step, frames between two steps (None: 192 steps share it), part kept in a crop
    per_step: int
    stride: int
    kept: float
    # detector
    arch: tuple
    width: int
    window: object
    classes: int
    # training: of the detector, of adapters
    lr: float
    adapter_lr: float
    epochs: int
    cosine: int
    batch: int
    # results
    sigma: float
    most: int
    # windows: steps, part that two share; levels of the pyramid
    steps: int = 768
    overlap: float = .5
    levels: int = 6


SIZES = dict(S=(384, 12, 6, 16), B=(768, 12, 12, 16), L=(1024, 24, 16, 16), H=(1280, 32, 16, 16),
             g=(1408, 40, 16, 14))
ALL = (None, )
HALF = tuple(range(20, 40))


def thumos(size, lr, pixels=160, blocks=ALL, ratio=1 / 4, per_step=1, epochs=60):
    return Row(size, pixels, blocks, ratio, per_step, 4, .75, (2, 2, 5), 512, -1, 20, 1e-4, lr,
               epochs, 100, 2, .7, 2000)


def multithumos(size, lr):
    return Row(size, 160, ALL, 1 / 4, 1, 4, .75, (3, 0, 5), 512, -1, 65, 1e-4, lr, 80, 100, 2, .5,
               8000)


def anet(size, pixels=160, batch=4):
    return Row(size, pixels, ALL, 1 / 4, 4, None, None, (2, 2, 5), 256, -1, 1, 1e-3, 1e-4, 15, 15,
               batch, .7, 100)


def charades(size, lr, batch=8):
    return Row(size, 160, ALL, 1 / 4, 1, 4, .5, (2, 2, 7), 512, -1, 157, 1e-4, lr, 20, 20, batch,
               .3, 1000, 512, .5, 8)


def ego4d():
    return Row('L', 192, tuple(range(12, 24)), 1 / 4, 4, 8, .3, (2, 2, 9), 512,
               (17, ) * 7 + (-1, ) * 3, 110, 1e-4, 4e-4, 20, 25, 2, 2., 2000, 1800, 0, 10)


def epic(classes):
    return Row('L', 160, ALL, 1 / 4, 8, 16, .3, (2, 2, 5), 512, 9, classes, 1e-4, 8e-5, 35, 250, 2,
               .4, 2000)


ROWS = dict(
    thumos_s=thumos('S', 2e-4), thumos_b=thumos('B', 1e-4), thumos_l=thumos('L', 1e-4),
    thumos_h=thumos('H', 1e-4), thumos_g=thumos('g', 1e-4),
    thumos_g_224=thumos('g', 2e-4, 224, HALF, 1 / 4, 2, 50),
    thumos_s_side=thumos('S', 2e-4, blocks=(6, 7, 8, 9, 10, 11)),
    thumos_g_224_side=thumos('g', 2e-4, 224, HALF, 1 / 8, 2, 50),
    multithumos_s=multithumos('S', 4e-4), multithumos_b=multithumos('B', 4e-4),
    multithumos_l=multithumos('L', 4e-4), multithumos_h=multithumos('H', 1e-4),
    multithumos_g=multithumos('g', 1e-4),
    **{f'anet_{size.lower()}': anet(size) for size in SIZES}, anet_g_224=anet('g', 224, 2),
    charades_s=charades('S', 4e-4), charades_b=charades('B', 4e-4), charades_l=charades('L', 2e-4),
    charades_h=charades('H', 1e-4), charades_g=charades('g', 8e-5, 4), ego4d_l=ego4d(),
    epic_verb_l=epic(97), epic_noun_l=epic(300))
SIDE = ('thumos_s_side', 'thumos_g_224_side')

load = functools.cache(lambda name: config_models.load(f'adatad/{name}'))
every = pytest.mark.parametrize('name', ROWS)


#: Their transformers are those of THUMOS14's configs, and built once.
BUILT_THERE = [name for name in ROWS if name[:-1] in ('anet_', 'charades_', 'multithumos_')
               and name[-1] != 's']


@functools.cache
def model_of(name):
    cfg = copy.deepcopy(load(name))
    if name in BUILT_THERE:
        cfg.model.front.backbone = load(f'{name[:-1]}s').model.front.backbone
    return build(cfg)


def test_all_of_them_are_here():
    assert {path.stem for path in (CONFIGS / 'adatad').glob('*.py')} == set(ROWS)


def test_each_is_a_few_lines():
    for path in (CONFIGS / 'adatad').glob('*.py'):
        assert len(path.read_text('utf-8').splitlines()) <= 18, path.name


@pytest.mark.parametrize('name', BUILT_THERE)
def test_one_transformer_of_each_size(name):
    ours, there = (load(other).model.front for other in (name, f'thumos_{name[-1]}'))
    assert dict(ours, frames_per_step=1) == there


@pytest.mark.parametrize('name', [name for name in ROWS if name not in BUILT_THERE])
def test_transformer_and_adapters(name):
    row, front = ROWS[name], model_of(name).front
    width, depth, heads, patch = SIZES[row.size]
    vit = front.backbone
    assert (vit.embed_dims, len(vit.blocks), vit.patch_size) == (width, depth, patch)
    assert vit.blocks[0].attn.num_heads == heads and vit.blocks[0].norm1.eps == 1e-6
    assert vit.blocks[0].mlp.layers[0][0].out_features == (6144 if row.size == 'g' else 4 * width)
    # 224 pixels: at others the table is resized
    assert vit.grid_size == (224 // patch, 224 // patch) and not vit.pos_embed.requires_grad
    assert isinstance(vit.blocks[0].drop_path, nn.Identity)
    assert vit.blocks[-1].drop_path.drop_prob == pytest.approx(.1)
    blocks = list(range(depth)) if row.blocks == ALL else list(row.blocks)
    assert front.adapter.blocks == blocks and front.adapter.side_tuning is (name in SIDE)
    parts = front.adapter.adapters(vit)
    assert {part.up_proj.in_features for part in parts} == {int(width * row.ratio)}
    assert {part.dwconv.kernel_size for part in parts} == {(3, )}
    trained = {key for key, param in front.named_parameters() if param.requires_grad}
    assert trained and all('adapter' in key for key in trained)
    assert front.with_cp and front.frames_per_step == row.per_step and front.clip_len == 16
    assert vit.init_cfg['type'] == 'PretrainedViT'


@every
def test_detector(name):
    row, model = ROWS[name], model_of(name)
    assert model.backbone.in_channels == model.front.out_channels
    assert load(name).model.front.backbone.embed_dims == SIZES[row.size][0]
    assert (model.backbone.arch, model.backbone.embed_dims) == (row.arch, row.width)
    assert load(name).model.backbone.window_size == row.window
    assert model.head.num_classes == row.classes
    assert model.head.num_levels == row.levels
    assert model.backbone.input_dropout == (
        .2 if 'epic' in name or 'ego4d' in name else .3 if 'charades' in name else
        .1 if 's_side' in name else 0)
    assert (model.backbone.position is not None) is any(
        data in name for data in ('anet', 'charades', 'ego4d'))
    if 'anet' in name:
        assert (model.head.reg_weight, model.head.loss_options.label_smoothing) == (2., .1)
        assert load(name).model.postprocessor.fusion.topk == 2
    last = row.levels - 1
    assert [tuple(pair) for pair in model.head.regression_ranges] == [
        (0 if i == 0 else 2 ** i if 'epic' in name or 'ego4d' in name else 2 ** (i + 1),
         10000 if i == last else 2 ** (i + 2)) for i in range(row.levels)]
    assert model.head.reg_weight == (.5 if 'epic' in name else 2. if 'anet' in name else 1.)
    if 'ego4d' in name:
        dropouts = {key: load(name).model.backbone[key] for key in ('dropout', 'attn_dropout')}
        assert dropouts == dict(dropout=.1, attn_dropout=0.)
        assert model.head.assigner.all_classes


@every
def test_videos(name):
    row, cfg = ROWS[name], load(name)
    for loader in (cfg.train_dataloader, cfg.test_dataloader):
        dataset = loader.dataset
        assert dataset.get('frames_per_step', 1) == row.per_step
        assert (dataset.get('feature_stride'), dataset.get('num_steps')) == (
            (row.stride, None) if row.stride else (None, 192))
        for step in dataset.pipeline:
            TRANSFORMS.build(step)
    train, test = (loader.dataset.pipeline for loader in (cfg.train_dataloader,
                                                          cfg.test_dataloader))
    crops = [step for step in train if step.type == 'RandomCropFrames']
    assert [(step.max_len, step.trunc_thresh) for step in crops] == \
        ([(row.steps, row.kept)] if row.kept else [])
    short = {160: 182, 192: 220, 224: 256}[row.pixels]
    assert [step.short_side for step in train if step.type == 'LoadTALFrames'] == [short]
    assert [step.scale for step in train if step.type == 'Resize'] == [(row.pixels, row.pixels)]
    assert [step.get('short_side', step.get('crop_size')) for step in test
            if step.type in ('LoadTALFrames', 'CenterCrop')] == [row.pixels, row.pixels]
    window = cfg.test_dataloader.dataset.get('window')
    assert window == (dict(size=row.steps, overlap=row.overlap) if row.stride else None)
    assert cfg.test_dataloader.dataset.get('fps') == (
        15 if 'anet' in name else 30 if 'epic' in name or 'charades' in name else None)
    assert cfg.test_dataloader.dataset.test_mode


@every
def test_training(name):
    row, cfg, model = ROWS[name], load(name), model_of(name)
    constructor = OPTIM_WRAPPER_CONSTRUCTORS.build(dict(
        type=cfg.optim_wrapper.constructor,
        optim_wrapper_cfg={key: value for key, value in cfg.optim_wrapper.items()
                           if key not in ('constructor', 'paramwise_cfg')},
        paramwise_cfg=cfg.optim_wrapper.paramwise_cfg))
    optimizer = constructor(model).optimizer
    names = {param: key for key, param in model.named_parameters()}
    found = {}
    for group in optimizer.param_groups:
        for param in group['params']:
            kind = ('adapter' if 'adapter' in names[param] else
                    'bias' if names[param].endswith('bias') else None)
            found.setdefault(kind, set()).add((round(group['initial_lr'] if 'initial_lr' in group
                                                     else group['lr'], 9), group['weight_decay']))
    assert found['adapter'] == {(row.adapter_lr, .05)}  # biases and gamma included
    assert found['bias'] == {(row.lr, 0.)}
    assert found[None] == {(row.lr, .05), (row.lr, 0.)}
    assert cfg.optim_wrapper.clip_grad.max_norm == 1
    assert cfg.train_cfg.max_epochs == row.epochs
    assert cfg.train_dataloader.batch_size == row.batch
    assert cfg.auto_scale_lr.base_batch_size == (
        16 if 'anet' in name or 'charades' in name else 2)
    schedule = dict(cfg.param_scheduler, optimizer=optimizer, epoch_length=10)
    assert schedule.pop('convert_to_iter_based')
    kind = PARAM_SCHEDULERS.get(schedule.pop('type'))
    assert kind is WarmupCosineLR
    scheduler = kind.build_iter_from_epoch(**schedule)
    assert scheduler.warmup == 50 and scheduler.factor(0) == 0 and scheduler.factor(50) == 1
    # ends at 1e-8 after all of the cosine, of which the training is a part
    assert scheduler.factor(10 * row.cosine) * row.lr == pytest.approx(1e-8)
    assert (scheduler.factor(10 * row.epochs) * row.lr > 1.1e-8) is (row.epochs < row.cosine)


@every
def test_results(name):
    row, cfg = ROWS[name], load(name)
    windows = row.stride is not None
    model, metric = cfg.model.postprocessor, cfg.test_evaluator.get('postprocessor')
    assert (model.get('nms') is None) is windows and (metric is None) is not windows
    post = metric if windows else model
    assert post.nms.type == 'SoftNMS' and post.nms.sigma == row.sigma
    assert post.nms.get('class_wise', True) is windows
    assert post.max_per_video == row.most
    if not windows:
        assert post.voting.iou_threshold == .9
    most = cfg.model.head.get('test_cfg', {}).get('nms_pre', 2000)
    assert most == (
        8000 if 'multi' in name else 5000 if 'epic' in name or 'ego4d' in name else 2000)


@pytest.mark.parametrize('options, rate', [
    ({'model.front.tuning': 'full', 'optim_wrapper.paramwise_cfg.custom_keys._delete_': True,
      'optim_wrapper.paramwise_cfg.custom_keys.front.lr_mult': .1}, 1e-5),
    ({'model.front.tuning': 'frozen', 'optim_wrapper.paramwise_cfg': None}, None)])
def test_tuning_by_options(options, rate):
    """As docs/methods/adatad.md has them; published is a whole transformer at 1e-5."""
    cfg = copy.deepcopy(load('thumos_s'))
    cfg.merge_from_dict(options)
    model = build(cfg)
    wrapper = {key: value for key, value in cfg.optim_wrapper.items()
               if key not in ('constructor', 'paramwise_cfg')}
    optimizer = OPTIM_WRAPPER_CONSTRUCTORS.build(dict(
        type=cfg.optim_wrapper.constructor, optim_wrapper_cfg=wrapper,
        paramwise_cfg=cfg.optim_wrapper.paramwise_cfg))(model).optimizer
    front = set(model.front.parameters())
    rates = {round(group['lr'], 9) for group in optimizer.param_groups
             for param in group['params'] if param in front}
    assert rates == ({rate} if rate else set())
