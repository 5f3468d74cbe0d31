"""CLTDR: refinement, its losses, and its options, against formulas in float64 and beyond."""
from decimal import Decimal, getcontext

import pytest
import torch
from head_batteries import (
    RANGES,
    VIDEOS,
    build_head,
    loss_of,
    make_pyramid,
    make_samples,
    make_tables,
    raw_outputs,
)
from head_loops import diou_loss, focal, iou_loss, positives, refined, sums, trident, varifocal
from mmaction.registry import MODELS
from torch import nn

from cltdr_mm.models.heads.cltdr_head import COARSE_LOSS, refined_logit
from cltdr_mm.models.heads.outputs import HeadOutputs, Reading
from cltdr_mm.models.task_modules import Pairs
from cltdr_mm.structures import PackedRows, split_levels, stack_rows, unpack

LENGTHS = [steps for steps, _, _ in VIDEOS]


# eq. 10


def exact_logit(coarse: float, refinement: float) -> float:
    """Of sqrt(sigmoid(a) * sigmoid(r)), with 400 digits: near 1 nearly all of them are nines."""
    getcontext().prec = 400
    product = 1
    for logit in (coarse, refinement):
        product = product / (1 + (-Decimal(logit)).exp())
    prob = Decimal(product).sqrt()
    return float((prob / (1 - prob)).ln())


@pytest.mark.parametrize('coarse', [-300, -90, -20, -3.5, -0.1, 0, 0.7, 4, 17, 60, 300])
def test_refined_logit(coarse):
    others = [-200., -88.5, -12., -1., 0., 0.3, 5., 16., 40., 100., 250.]
    a = torch.full((len(others), ), float(coarse), requires_grad=True)
    r = torch.tensor(others, requires_grad=True)
    got = refined_logit(a, r)
    expected = [exact_logit(float(coarse), other) for other in others]
    assert got.tolist() == pytest.approx(expected, rel=2e-6, abs=2e-6)
    assert refined_logit(r, a).tolist() == got.tolist()
    got.sum().backward()
    for grad in (a.grad, r.grad):
        assert torch.isfinite(grad).all() and (grad >= 0).all()


@pytest.mark.parametrize('coarse, refinement', [(0., 0.), (-2., 1.), (3., 5.), (-40., 2.),
                                                (30., -1.), (12., 14.)])
def test_refined_logit_slope(coarse, refinement):
    """By central differences of the exact value."""
    a, r = (torch.tensor(x, requires_grad=True) for x in (coarse, refinement))
    refined_logit(a, r).backward()
    h = 1e-4
    slopes = ((exact_logit(coarse + h, refinement) - exact_logit(coarse - h, refinement)) / 2 / h,
              (exact_logit(coarse, refinement + h) - exact_logit(coarse, refinement - h)) / 2 / h)
    assert (float(a.grad), float(r.grad)) == pytest.approx(slopes, rel=1e-4, abs=1e-6)


def test_the_probability_itself_would_not_do():
    """What the log domain is for: float32's square root and logarithm give up early."""
    prob = (torch.tensor(20.).sigmoid() * torch.tensor(25.).sigmoid()).sqrt()
    assert torch.isinf(prob.logit())
    assert float(refined_logit(torch.tensor(20.), torch.tensor(25.))) == pytest.approx(
        exact_logit(20., 25.), rel=1e-6)


@pytest.mark.parametrize('score_fusion', ['geometric_mean', 'logit_product'])
def test_scores(score_fusion):
    outs = raw_outputs(build_head(type='CLTDRHead', score_fusion=score_fusion).eval())
    for coarse, second, logits in zip(*(outs[k] for k in ('coarse_logits', 'refine_logits',
                                                         'cls_logits'))):
        if score_fusion == 'geometric_mean':
            expected = (coarse.sigmoid() * second.sigmoid()).sqrt()
            # padding, where all logits are 0, has a probability of a half
            assert torch.allclose(logits.sigmoid(), expected, atol=1e-6)
        else:
            assert torch.allclose(logits, coarse * second, rtol=1e-6)


# losses from raw outputs


def free_outputs(head, seed=0) -> HeadOutputs:
    """Outputs that no features led to, as leaves in float32."""
    layout = stack_rows(make_tables(LENGTHS)).layout
    generator = torch.Generator().manual_seed(seed)

    def table(channels):
        return torch.randn(layout.num_rows, channels, generator=generator).requires_grad_()

    class AsItIs(nn.Module):
        reach = kernel_reach = 0

        def forward(self, x, layout):
            return x

    offsets = 3 if head.offsets_per_class else 1
    channels = dict(starts=3, ends=3, centers=10, refine_starts=offsets, refine_ends=offsets)
    return HeadOutputs(layout, table(3), {
        name: Reading(AsItIs(), table(count), layout) for name, count in channels.items()},
        dict(coarse_logits=table(3)))


def leaves_of(outs) -> dict:
    return dict(cls_logits=outs.cls_logits, coarse_logits=outs.tables['coarse_logits'],
                **{name: reading.x for name, reading in outs.readings.items()})


def by_level(table, layout) -> list:
    """A table as (B, D, T_l) tensors."""
    return [unpack(level)[0] for level in split_levels(PackedRows(table, layout))]


def compare(head, loops) -> None:
    """Losses and the gradient of every raw output."""
    outs, samples = free_outputs(head), make_samples()
    theirs = {name: [x.detach().double().requires_grad_() for x in by_level(table, outs.layout)]
              for name, table in leaves_of(outs).items()}
    theirs['masks'] = make_pyramid([53, 30, 9, 1])[1]
    theirs['masks'] = [mask[:, :x.shape[-1]]
                       for mask, x in zip(theirs['masks'], theirs['cls_logits'])]
    losses = head.loss_by_targets(outs, head.get_targets(outs, samples))
    expected = loops(theirs, positives(theirs['masks'], RANGES, samples))
    for name, value in expected.items():
        assert losses[name].item() == pytest.approx(value.item(), rel=1e-5), name
    sum(losses[name] for name in expected).backward()
    sum(expected.values()).backward()
    for name, leaf in leaves_of(outs).items():
        grad = torch.zeros_like(leaf) if leaf.grad is None else leaf.grad
        assert not grad[outs.layout.gap_rows].any(), name
        for level, (x, y) in enumerate(zip(by_level(grad, outs.layout), theirs[name])):
            other = torch.zeros_like(y) if y.grad is None else y.grad
            other = other * theirs['masks'][level][:, None]  # beyond a video it reads zeros
            assert torch.allclose(x.double(), other, rtol=1e-4, atol=1e-8), f'{name}, {level}'


@pytest.mark.parametrize('options', [
    {}, dict(label_smoothing=0.1, reg_weight=1.5), dict(coarse_weight=0.4, iou_power=1.),
    dict(balance_negatives=True)], ids=str)
def test_default_loss(options):
    """0.7 refined varifocal, times IoU^p at positives, + 0.3 coarse focal; DIoU; one division."""
    head = build_head(type='CLTDRHead', **options)
    smoothing, share = options.get('label_smoothing', 0.), options.get('coarse_weight', 0.3)

    def loops(outs, found):
        fine = sums(outs, found, RANGES, refined, varifocal(0.25), diou_loss,
                    power=options.get('iou_power', 0.2), smoothing=smoothing)
        coarse = sums(outs, found, RANGES, trident, focal, diou_loss, 'coarse_logits',
                      smoothing=smoothing)
        normalizer = 0.9 * 100 + 0.1 * fine['num_pos']
        over = fine['num_neg'] if 'balance_negatives' in options else normalizer
        cls, rough = (part['pos'] / normalizer + part['neg'] / over for part in (fine, coarse))
        reg = ((1 - share) * fine['reg'] + share * coarse['reg']) / normalizer
        return dict(loss_cls=(1 - share) * cls + share * rough,
                    loss_reg=options.get('reg_weight', 1.) * reg)

    compare(head, loops)


@pytest.mark.parametrize('literal', [False, True])
@pytest.mark.parametrize('iou_targets', [False, True])
def test_eq13(literal, iou_targets):
    """Refined results alone; sigma_IoU times varifocal, or as its target; N_pos, or N_neg."""
    head = build_head(type='CLTDRHead', loss_coarse=None, loss_reg=dict(type='IoU1DLoss'),
                      iou_power=0. if iou_targets else 1., iou_targets=iou_targets,
                      balance_negatives=literal)

    def loops(outs, found):
        total = sums(outs, found, RANGES, refined, varifocal(0.25), iou_loss,
                     power=0. if iou_targets else 1., iou_targets=iou_targets)
        normalizer = 0.9 * 100 + 0.1 * total['num_pos']
        over = total['num_neg'] if literal else normalizer
        return dict(loss_cls=total['pos'] / normalizer + total['neg'] / over,
                    loss_reg=total['reg'] / normalizer)

    compare(head, loops)


@pytest.mark.parametrize('coarse', ['focal', 'varifocal'])
def test_release_loss(coarse):
    """The normaliser moves twice; the parity tests add the slope of the IoU factor."""
    kind = dict(focal=dict(type='TALFocalLoss'),
                varifocal=dict(type='TALVarifocalLoss', alpha=0.25))[coarse]
    head = build_head(type='CLTDRHead', loss_coarse=kind, offsets_per_class=True,
                      offset_unit='grid', normalizer_moves='half')
    term = focal if coarse == 'focal' else varifocal(0.25)

    def loops(outs, found):
        fine = sums(outs, found, RANGES, lambda *args: refined(*args, release=True),
                    varifocal(0.25), diou_loss, power=0.2)
        rough = sums(outs, found, RANGES, trident, term, diou_loss, 'coarse_logits')
        first = 0.9 * 100 + 0.1 * fine['num_pos']
        second = 0.9 * first + 0.1 * fine['num_pos']
        return dict(
            loss_cls=0.7 * (fine['pos'] + fine['neg']) / first
            + 0.3 * (rough['pos'] + rough['neg']) / second,
            loss_reg=0.7 * fine['reg'] / first + 0.3 * rough['reg'] / second)

    compare(head, loops)


@pytest.mark.parametrize('moves, times', [(None, 1), ('step', 1), ('half', 2)])
@pytest.mark.parametrize('loss_coarse', [None, COARSE_LOSS])
def test_moves_of_the_normaliser(moves, times, loss_coarse):
    """Once a step, unless the published code's two moves are asked for."""
    options = {} if moves is None else dict(normalizer_moves=moves)
    head = build_head(type='CLTDRHead', loss_coarse=loss_coarse, **options)
    count, expected = float(loss_of(head)['num_pos']), 100.
    for _ in range(times if loss_coarse else 1):
        expected = 0.9 * expected + 0.1 * count
    assert head.normalizer.value.item() == pytest.approx(expected, rel=1e-9)


# tables 9 to 11


@pytest.mark.parametrize('refine', [(), ('cls', ), ('reg', ), ('cls', 'reg')])
def test_what_is_refined(refine):
    """Against a Trident head of the same weights: the coarse results."""
    head = build_head(type='CLTDRHead', refine=refine).eval()
    coarse = build_head(type='CLTDRHead', refine=()).eval()
    coarse.load_state_dict(head.state_dict(), strict=False)
    pairs = Pairs(torch.tensor([60]), torch.tensor([0]))
    with torch.no_grad():
        outs, plain = head(make_tables(LENGTHS)), coarse(make_tables(LENGTHS))
        moved = not torch.equal(head.decode(outs, pairs), coarse.decode(plain, pairs))
    assert moved == ('reg' in refine)
    assert torch.equal(outs.cls_logits, plain.cls_logits) == ('cls' not in refine)
    assert torch.equal(outs.tables['coarse_logits'], plain.cls_logits)
    levels = outs.per_level()
    assert ('refine_starts' in levels) == ('reg' in refine)
    assert ('refine_logits' in levels) == ('cls' in refine)
    assert any('clff' in name for name, _ in head.named_parameters()) == bool(refine)


@pytest.mark.parametrize('name', ['dcm', 'drm'])
@pytest.mark.parametrize('fusion', ['attention', 'add', 'concat'])
def test_sources_and_fusion(name, fusion):
    option = dict(dcm='cls_sources', drm='reg_sources')[name]
    for sources in ((), ('higher', ), ('lower', ), ('lower', 'higher')):
        head = build_head(type='CLTDRHead', fusion=fusion, **{option: sources})
        module = getattr(head, name)
        assert set(module.sources) == set(sources) and module.fusion == fusion
        assert torch.isfinite(loss_of(head)['loss_cls'])


def test_classes_and_boundaries_see_their_own_neighbours():
    """DCM the coarser level, DRM the finer one; without refinement nothing sees both."""
    head = build_head(type='CLTDRHead', refine=()).eval()
    feats, masks = make_pyramid([40])

    def outputs(changed):
        moved = [x + (level == changed) for level, x in enumerate(feats)]
        with torch.no_grad():
            return head(moved, masks)

    before = outputs(None)
    for changed, cls, centers in ((0, False, True), (2, True, False)):
        after = outputs(changed)
        assert torch.equal(after['cls_logits'][1], before['cls_logits'][1]) != cls
        assert torch.equal(after['centers'][1], before['centers'][1]) != centers


@pytest.mark.parametrize('boundary_feats, raw', [
    (None, False), ('decoupled', False), ('pyramid', True)])
def test_boundary_towers_do_not_train_the_pyramid(boundary_feats, raw):
    """They read the fused features, or in the release the pyramid itself, detached."""
    options = {} if boundary_feats is None else dict(boundary_feats=boundary_feats)
    head = build_head(type='CLTDRHead', **options)
    feats, masks = make_pyramid(LENGTHS)
    feats = [x.requires_grad_() for x in feats]
    outs = head(feats, masks)
    sum(x.sum() for name in ('starts', 'ends') for x in outs[name]).backward()
    assert all(x.grad is None for x in feats)
    assert all(p.grad is None for p in head.drm.parameters())
    with torch.no_grad():
        for param in head.drm.parameters():
            param.add_(1.)
        moved = head(feats, masks)['starts'][1]
    assert torch.equal(moved, outs['starts'][1]) == raw


def test_kernels_of_the_refine_head():
    base = dict(type='CLTDRHead', num_classes=2, in_channels=8, regression_ranges=RANGES,
                kernel_size=5)

    def kernels(**cfg):
        head = MODELS.build({**base, **cfg}).refine_head
        return tuple(layer.conv.weight.shape[-1]
                     for layer in (head.trunk.convs[0], head.cls_out, head.start_out))

    assert kernels() == (3, 3, 3)  # whatever the towers have
    assert kernels(refine_kernel_sizes=dict(offset=7)) == (3, 3, 7)
    assert kernels(refine_kernel_sizes=dict(trunk=5, offset=1)) == (5, 3, 1)
    with pytest.raises(ValueError, match=r"must be of 'trunk', 'cls' and 'offset', got \['side'\]"):
        kernels(refine_kernel_sizes=dict(side=3))


@pytest.mark.parametrize('per_class, unit, scale', [
    (False, 'stride', 2.), (True, 'grid', 1.), (True, 'stride', 2.), (False, 'grid', 1.)])
def test_offsets(per_class, unit, scale):
    """One pair a step or one a class, in strides of the level or in grid steps."""
    head = build_head(type='CLTDRHead', offsets_per_class=per_class, offset_unit=unit).eval()
    with torch.no_grad():
        outs = head(make_tables([40]))
        row = outs.layout.first[1] + 3  # on level 1, of stride 2
        channel = 2 if per_class else 0
        pairs = Pairs(torch.tensor([row]), torch.tensor([2]))
        coarse = torch.full((1, 2), 50.)
        got = head.refine_distances(coarse, outs, pairs)
        levels = outs.per_level()
        start, end = (levels[k][1][0, channel, 3] for k in ('refine_starts', 'refine_ends'))
        assert levels['refine_starts'][1].shape[1] == (3 if per_class else 1)
        expected = [50 - float(start) * scale / 2, 50 + float(end) * scale / 2]
        assert got[0].tolist() == pytest.approx(expected, abs=1e-4)
        nothing = head.refine_distances(coarse * 0 - 100, outs, pairs)
    assert nothing.tolist() == [[0., 0.]]


def test_defaults():
    """The published objective, the paper's architecture."""
    head = MODELS.build(dict(type='CLTDRHead', num_classes=3, in_channels=16,
                             regression_ranges=RANGES))
    assert head.loss_cls.alpha == 0.25 and type(head.loss_reg).__name__ == 'DIoU1DLoss'
    assert type(head.loss_coarse).__name__ == 'TALFocalLoss' and head.coarse_weight == 0.3
    options = head.loss_options
    assert (options.iou_power, options.detach_iou) == (0.2, True)
    assert not options.iou_targets and not options.balance_negatives
    # depth-wise fusion of one neighbour each
    assert sum(p.numel() for p in head.dcm.parameters()) == 16 * (3 + 3 + 1) + 3 * 16


@pytest.mark.parametrize('options, message', [
    (dict(refine=('both', )), r"refine must be one of \['cls', 'reg'\], got 'both'"),
    (dict(boundary_feats='raw'), r"boundary_feats must be one of .*'pyramid'\], got 'raw'"),
    (dict(score_fusion='sum'), "score_fusion must be .*, got 'sum'"),
    (dict(offset_unit='second'), "offset_unit must be .*, got 'second'"),
    (dict(normalizer_moves='never'), "normalizer_moves must be .*, got 'never'"),
])
def test_unknown_choices(options, message):
    with pytest.raises(ValueError, match=f'CLTDRHead: {message}'):
        build_head(type='CLTDRHead', **options)
