"""The battery, over every registered head and its main options."""
import inspect

import pytest
import torch
from head_batteries import (
    RANGES,
    VIDEOS,
    WIDTH,
    build_head,
    candidates_of,
    check_bfloat16,
    check_candidates,
    check_gradients,
    check_invariance,
    check_loss_invariance,
    check_state_dict,
    loss_of,
    make_pyramid,
    total,
)
from mmaction.registry import MODELS

from cltdr_mm.models.heads import PointHead

NAMES = sorted(name for name, cls in MODELS.module_dict.items()
               if inspect.isclass(cls) and issubclass(cls, PointHead))
# Names that the battery must have found, so that an empty registry is no success.
assert set(NAMES) >= {'ActionFormerHead', 'CLFFHead', 'CLTDRHead', 'TridentHead'}
WRAPPED = dict(ActionFormerHead={}, CLTDRHead=dict(num_bins=4))
OPTIONS = [dict(type=name) for name in NAMES] + [
    dict(type='ASLHead', head=dict(type=name, num_classes=3, in_channels=WIDTH,
                                   regression_ranges=RANGES, **more))
    for name, more in WRAPPED.items()
] + [
    dict(type='CLTDRHead', refine=('cls', )),
    dict(type='CLTDRHead', refine=('reg', ), fusion='concat', cls_sources=('higher', 'lower')),
    dict(type='CLTDRHead', refine=(), fusion='add', reg_sources=('higher', )),
    dict(type='CLTDRHead', cls_sources=(), reg_sources=()),
    dict(type='CLTDRHead', loss_coarse=dict(type='TALFocalLoss'), label_smoothing=0.1),
    dict(type='ActionFormerHead', assigner=dict(type='SimOTAAssigner1D')),
    dict(type='TridentHead', assigner=dict(type='SimOTAAssigner1D', topk=5),
         boundary_kernel_size=1, kernel_size=5),
    dict(type='TridentHead', reg_weight=None, loss_cls=dict(type='TALVarifocalLoss'),
         iou_targets=True, balance_negatives=True),
]


def describe(cfg: dict) -> str:
    """A short name of a config."""
    return '-'.join(str(v['type'] if isinstance(v, dict) else v) for v in cfg.values())


every_head = pytest.mark.parametrize('cfg', OPTIONS, ids=describe)


@every_head
def test_gradients(cfg):
    check_gradients(build_head(**cfg))


@every_head
def test_candidates(cfg):
    check_candidates(build_head(**cfg))


@every_head
def test_invariance(cfg):
    check_invariance(build_head(**cfg))


@every_head
def test_loss_invariance(cfg):
    check_loss_invariance(lambda: build_head(**cfg))


@every_head
def test_bfloat16(cfg):
    check_bfloat16(build_head(**cfg))


@every_head
def test_state_dict(cfg):
    check_state_dict(lambda seed: build_head(seed, **cfg))


@every_head
@pytest.mark.parametrize('videos', [
    [(30, [], []), (7, [], [])],
    # shorter than the gap between points, and longer than any range
    [(30, [(4.2, 4.8)], [1])],
    [(1, [(0., 0.4)], [0])],
], ids=['no actions', 'between points', 'one step'])
def test_no_positives(cfg, videos):
    """Only background: finite losses and gradients, nothing to regress."""
    head = build_head(**cfg).train()
    losses = loss_of(head, videos)
    assert losses['num_pos'] == 0
    assert losses['loss_reg'] == 0
    assert losses['loss_cls'] > 0
    total(losses).backward()
    for name, param in head.named_parameters():
        assert param.grad is None or torch.isfinite(param.grad).all(), name


@every_head
def test_action_outside_all_ranges(cfg):
    cfg = dict(cfg)
    ranges = [(0, 1.), (1., 2.), (2., 3.)]
    if cfg['type'] == 'ASLHead':
        cfg['head'] = dict(cfg['head'], regression_ranges=ranges)
    else:
        cfg['regression_ranges'] = ranges
    assert loss_of(build_head(**cfg), [(40, [(5., 35.)], [1])])['num_pos'] == 0


@pytest.mark.parametrize('name', NAMES)
def test_one_class(name):
    head = build_head(type=name, num_classes=1)
    check_candidates(head, num_classes=1)
    videos = [(steps, segments, [0] * len(labels)) for steps, segments, labels in VIDEOS]
    losses = loss_of(head.train(), videos)
    assert losses['num_pos'] > 0
    total(losses).backward()


@every_head
def test_wrong_number_of_levels(cfg):
    feats, masks = make_pyramid([20])
    with pytest.raises(ValueError, match='2 feature levels came in, but regression_ranges names 3'):
        build_head(**cfg)(feats[:2], masks[:2])


@pytest.mark.parametrize('name', NAMES)
def test_battery_notices_a_leak(name, monkeypatch):
    """What the invariance is worth: towers that leave their bias in the padding fail it."""
    head = build_head(type=name)
    for module in head.modules():
        if hasattr(module, 'unmasked_activations'):
            module.unmasked_activations = True
    with pytest.raises(AssertionError):
        check_invariance(head)


@pytest.mark.parametrize('name', NAMES)
def test_threshold_and_limit(name):
    """Only scores above the threshold, and of each level the best."""
    head = build_head(type=name)
    everything = candidates_of(head, [53])[0]
    limit = float(everything.scores.median())
    head.test_cfg['score_thr'] = limit
    above = candidates_of(head, [53])[0]
    assert len(above) == int((everything.scores > limit).sum())
    head.test_cfg['nms_pre'] = 7
    best = candidates_of(head, [53])[0]
    assert 7 <= len(best) <= 21
    assert best.scores.max() == everything.scores.max()
    median = float(best.segments.diff(dim=1).median())
    head.test_cfg['min_length'] = median
    long_ones = candidates_of(head, [53])[0].segments.diff(dim=1)
    assert (long_ones > median).all() and 0 < len(long_ones) < len(best)
