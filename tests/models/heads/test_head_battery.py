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
    check_focus,
    check_gradients,
    check_invariance,
    check_loss_invariance,
    check_packing,
    check_state_dict,
    loss_of,
    losses_and_gradients,
    make_pyramid,
    make_samples,
    make_tables,
    point_head,
    rows_seen,
    total,
)
from mmaction.registry import MODELS

from cltdr_mm.models.heads import PointHead

NAMES = sorted(name for name, cls in MODELS.module_dict.items()
               if inspect.isclass(cls) and issubclass(cls, PointHead))
# Names that the battery must have found, so that an empty registry is no success.
assert set(NAMES) >= {'ActionFormerHead', 'CLFFHead', 'CLTDRHead', 'TridentHead'}
#: What ASL wraps: every head, and its switches around one of them.
WRAPPED = {name: {} if name == 'ActionFormerHead' else dict(num_bins=4) for name in NAMES}
SWITCHES = [dict(class_level='fixed'), dict(class_level=None), dict(instance_level=False),
            dict(contrast_weight=0.)]
#: Nothing dropped: a loss is to be the same twice.
QUALITY = dict(type='QualityBranch', dropout=0.)
FOCUSED = [dict(type=name) for name in NAMES] + [
    dict(type=name, quality=QUALITY) for name in NAMES
] + [
    dict(type='ASLHead', head=dict(type='ActionFormerHead', num_classes=3, in_channels=WIDTH,
                                   regression_ranges=RANGES, quality=QUALITY)),
] + [
    dict(type='ASLHead', head=dict(type=name, num_classes=3, in_channels=WIDTH,
                                   regression_ranges=RANGES, **more), **switches)
    for name, more in WRAPPED.items()
    for switches in ([{}] + SWITCHES if name == 'ActionFormerHead' else [{}])
] + [
    dict(type='CLTDRHead', refine=('cls', )),
    dict(type='CLTDRHead', refine=('reg', ), fusion='concat', cls_sources=('higher', 'lower')),
    dict(type='CLTDRHead', refine=(), fusion='add', reg_sources=('higher', )),
    dict(type='CLTDRHead', cls_sources=(), reg_sources=()),
    dict(type='CLTDRHead', loss_coarse=None, label_smoothing=0.1, balance_negatives=True),
    dict(type='CLTDRHead', offsets_per_class=True, offset_unit='grid', boundary_feats='pyramid',
         score_fusion='logit_product', refine_kernel_sizes=dict(offset=7), fusion_depthwise=False,
         fusion_kernel_size=1, normalizer_moves='half'),
    dict(type='TridentHead', reg_weight=None, loss_cls=dict(type='TALVarifocalLoss'),
         iou_targets=True, balance_negatives=True),
    dict(type='ActionFormerHead', refinement=dict(
        type='FineBoundaries', per_class=False, reach=2, num_layers=1, kernel_size=9)),
] + [
    dict(type=name, refinement=dict(type='FineBoundaries')) for name in NAMES
] + [
    dict(type='TridentHead', refinement=dict(type='FineBoundaries'), quality=QUALITY),
    dict(type='ASLHead', head=dict(type='ActionFormerHead', num_classes=3, in_channels=WIDTH,
                                   regression_ranges=RANGES,
                                   refinement=dict(type='FineBoundaries', detach_feats=True))),
]
EVERYWHERE = [
    dict(type='ActionFormerHead', assigner=dict(type='SimOTAAssigner1D')),
    dict(type='ActionFormerHead', assigner=dict(type='SimOTAAssigner1D'), quality=QUALITY),
    dict(type='TridentHead', assigner=dict(type='SimOTAAssigner1D', topk=5),
         boundary_kernel_size=1, kernel_size=5),
]


def describe(cfg: dict) -> str:
    """A short name of a config."""
    return '-'.join(str(v['type'] if isinstance(v, dict) and 'type' in v else v)
                    for v in cfg.values())


def with_option(cfg: dict, **options) -> dict:
    """A config with other options of its point head."""
    if 'head' in cfg:
        return dict(cfg, head=with_option(cfg['head'], **options))
    return dict(cfg, **options)


every_head = pytest.mark.parametrize('cfg', FOCUSED + EVERYWHERE, ids=describe)
every_focused_head = pytest.mark.parametrize('cfg', FOCUSED, ids=describe)


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
def test_packing(cfg):
    check_packing(lambda: build_head(**cfg))


@every_head
def test_raw_outputs_are_zero_at_padding(cfg):
    lengths = [steps for steps, _, _ in VIDEOS]
    outs = build_head(**cfg)(make_tables(lengths, [60] * 4)).per_level()
    for mask, size in zip(outs['masks'], (60, 30, 15)):
        assert mask.shape == (4, size)
    for name in set(outs) - {'masks'}:
        for x, mask in zip(outs[name], outs['masks']):
            assert x.shape[::2] == mask.shape and x.any(), name
            assert not x.masked_select(~mask[:, None]).any(), name


@every_head
def test_bfloat16(cfg):
    check_bfloat16(build_head(**cfg))


@every_head
def test_state_dict(cfg):
    check_state_dict(lambda seed: build_head(seed, **cfg))


# towers where they are read

#: Positives at both ends of a video, in its middle, in a video of one step and in one of two.
ENDS = [(70, [(-0.6, 2.8), (0., 9.5), (31., 36.2), (61., 69.4), (67.3, 70.)], [0, 1, 2, 1, 0]),
        (1, [(-1., 1.)], [1]),
        (33, [], []),
        (2, [(-0.4, 1.9), (0.2, 1.6)], [2, 0]),
        (25, [(0., 24.5)], [2])]


@every_focused_head
@pytest.mark.parametrize('videos', [VIDEOS, ENDS], ids=['anywhere', 'at the ends'])
@pytest.mark.parametrize('extra', [0, 5, 90])
def test_towers_where_they_are_read(cfg, videos, extra):
    """What is computed near positives only is what all rows would give, to the last gradient."""
    longest = max(steps for steps, _, _ in videos)
    seen = [longest + extra] * len(videos) if extra else None
    counts = check_focus(lambda: build_head(**cfg), videos, seen)
    # a quality branch also reads them at points that are no positives
    times = 1 if point_head(build_head(**cfg)).quality is None else 2
    assert counts and all(len(calls) == times for calls in counts.values())


@every_focused_head
@pytest.mark.parametrize('kernel', [1, 5, 7, 9])
def test_towers_with_other_kernels(cfg, kernel):
    """Kernels as wide as the gap between two videos, and wider."""
    cfg = with_option(cfg, kernel_size=kernel)
    check_focus(lambda: build_head(**cfg), ENDS)
    check_focus(lambda: build_head(**cfg), ENDS, [80] * len(ENDS))


@pytest.mark.parametrize('kernel', [1, 9])
def test_boundary_towers_with_other_kernels(kernel):
    check_focus(lambda: build_head(type='TridentHead', boundary_kernel_size=kernel), ENDS)


#: Few actions in long videos, as data sets have them.
SPARSE = [(400, [(50., 56.), (300., 309.)], [0, 2]), (350, [(11., 15.)], [1])]


@every_focused_head
def test_few_rows_are_read(cfg):
    """A tenth of the rows holds all that a few actions need."""
    counts = check_focus(lambda: build_head(**cfg), SPARSE)
    size = sum(table.layout.num_rows for table in make_tables([400, 350]))
    assert counts
    for name, calls in counts.items():
        assert all(0 < rows < 0.2 * size for rows in calls), f'{name}: {calls} of {size} rows'


@every_head
def test_all_rows_where_they_are_needed(cfg):
    """At inference, in mode 'tensor', and for an assigner that looks at predictions."""
    head = build_head(**cfg)
    tables, samples = make_tables([400, 350]), make_samples(SPARSE)
    size = head(tables).cls_logits.shape[0]
    inner = point_head(head)
    with rows_seen(inner) as predicted:
        head.eval().predict(tables, None, samples)
    with rows_seen(inner) as raw:
        head(tables).per_level()
    runs = [predicted, raw]
    if cfg in EVERYWHERE:
        with rows_seen(inner) as trained:
            head.train().loss(tables, None, samples)
        runs.append(trained)
    for counts in runs:
        assert counts and all(calls == [size] for calls in counts.values()), counts


@every_head
def test_targets_are_made_for_the_whole_batch_at_once(cfg):
    head = build_head(**cfg)
    inner = point_head(head)
    assign, calls = inner.assigner.assign, []

    def counted(*args, **kwargs):
        calls.append(args)
        return assign(*args, **kwargs)

    inner.assigner.assign = counted
    losses = loss_of(head)
    assert len(calls) == 1 and losses['num_pos'] > 10


# batches of little


@every_head
@pytest.mark.parametrize('videos', [
    [(30, [], []), (7, [], [])],
    # shorter than the gap between points, and longer than any range
    [(30, [(4.2, 4.8)], [1])],
    [(1, [(0., 0.4)], [0])],
], ids=['no actions', 'between points', 'one step'])
def test_no_positives(cfg, videos):
    """Only background: every parameter takes part, and nothing is regressed."""
    head = build_head(**cfg).train()
    losses = loss_of(head, videos)
    assert losses['num_pos'] == 0
    assert losses['loss_reg'] == 0
    assert losses['loss_cls'] > 0
    total(losses).backward()
    for name, param in head.named_parameters():
        assert param.grad is not None, f'{name} takes no part'
        assert torch.isfinite(param.grad).all(), name
        if any(part in name for part in ('start_', 'end_', 'center_', 'reg_tower', 'scales')):
            assert not param.grad.any(), name
    assert any(param.grad.any() for name, param in head.named_parameters() if 'cls_tower' in name)


@every_head
@pytest.mark.parametrize('videos', [VIDEOS, [(30, [], [])]], ids=['actions', 'none'])
def test_one_level(cfg, videos):
    """Every parameter takes part, also what brings levels together."""
    cfg = with_option(cfg, regression_ranges=[(0, 10000)])
    head = build_head(**cfg).train()
    assert head.num_levels == 1
    losses = loss_of(head, videos, levels=1)
    assert (losses['num_pos'] > 0) == (len(videos) > 1)
    total(losses).backward()
    for name, param in head.named_parameters():
        assert param.grad is not None, f'{name} takes no part'
        assert torch.isfinite(param.grad).all(), name
    if cfg not in EVERYWHERE:
        losses_and_gradients(build_head(**cfg).double(), videos, [60] * len(videos))


@every_head
def test_action_outside_all_ranges(cfg):
    cfg = with_option(cfg, regression_ranges=[(0, 1.), (1., 2.), (2., 3.)])
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
    head = build_head(**cfg)
    message = '2 feature levels came in, but it was built for 3'
    with pytest.raises(ValueError, match=message):
        head(feats[:2], masks[:2])
    with pytest.raises(ValueError, match=message):
        head.loss(make_tables([20])[:2], None, make_samples([(20, [], [])]))


# what the battery is worth


@pytest.mark.parametrize('name', NAMES)
def test_battery_notices_a_neighbour(name):
    """A tower that sees the end of the video before fails the invariance."""
    head = build_head(type=name)
    head.cls_tower.register_forward_hook(lambda _, args, out: out + 0.1 * out.roll(4, 0))
    with pytest.raises(AssertionError):
        check_invariance(head)


@every_focused_head
def test_battery_notices_a_reach_too_small(cfg):
    """A tower that sees farther than it says fails on the rows near positives."""

    def build():
        head = build_head(**cfg)
        for name, module in head.named_modules():
            if name.endswith(('reg_tower', 'start_tower', 'center_tower')):
                module.reach -= 1
        return head

    with pytest.raises(AssertionError):
        check_focus(build, SPARSE)


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


@every_head
def test_candidates_are_of_all_points(cfg):
    """The best of what all points of a video say."""
    head = build_head(**with_option(cfg, test_cfg=dict(nms_pre=4))).eval()
    tables = make_tables([21])
    scores, segments = head.all_points(tables)
    assert scores.shape == (21 + 11 + 6, head.num_classes) == (*segments.shape[:1], 3)
    found, = head.predict(tables, None, make_samples([(21, [], [])]))
    assert 0 < len(found) <= 3 * 4
    for level in scores.split([21, 11, 6]):
        best = level.flatten().topk(4).values
        # a sigmoid of other rows beside it may differ in its last bit
        assert ((best[:, None] - found.scores).abs() < 1e-6).any(1).all()
    label = found.labels if segments.shape[1] > 1 else torch.zeros_like(found.labels)
    for segment, score, own, of in zip(found.segments, found.scores, found.labels, label):
        same = (scores[:, own] - score).abs() < 1e-6
        same &= (segments[:, of] - segment).abs().amax(-1) < 1e-4
        assert same.any()
