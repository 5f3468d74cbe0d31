"""CLTDR: refinement, eq. 13, and its options, against formulas in float64 and beyond."""
from decimal import Decimal, getcontext

import pytest
import torch
from head_batteries import (
    RANGES,
    VIDEOS,
    build_head,
    candidates_of,
    loss_of,
    make_pyramid,
    make_samples,
)
from head_loops import diou_loss, focal, iou_loss, positives, refined, sums, trident, varifocal
from mmaction.registry import MODELS

from cltdr_mm.models.heads.cltdr_head import refined_logit

LENGTHS = [steps for steps, _, _ in VIDEOS]
LEAVES = ('cls_logits', 'coarse_logits', 'starts', 'ends', 'centers', 'refine_starts',
          'refine_ends')


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


def test_paper_scores_are_the_geometric_mean():
    head = build_head(type='CLTDRHead').eval()
    with torch.no_grad():
        outs = head(*make_pyramid(LENGTHS))
    for coarse, second, logits in zip(*(outs[k] for k in ('coarse_logits', 'refine_logits',
                                                         'cls_logits'))):
        assert torch.allclose(logits.sigmoid(), (coarse.sigmoid() * second.sigmoid()).sqrt(),
                              atol=1e-6)


def test_release_scores_are_a_product_of_logits():
    head = build_head(type='CLTDRHead', variant='release').eval()
    with torch.no_grad():
        outs = head(*make_pyramid(LENGTHS))
    for coarse, second, logits in zip(*(outs[k] for k in ('coarse_logits', 'refine_logits',
                                                         'cls_logits'))):
        assert torch.equal(logits, coarse * second)


# losses from raw outputs


def raw_outputs(head, seed=0) -> dict:
    """Outputs that no features led to, as leaves in float32."""
    _, masks = make_pyramid(LENGTHS)
    generator = torch.Generator().manual_seed(seed)
    offsets = 3 if head.release else 1
    channels = dict(cls_logits=3, coarse_logits=3, starts=3, ends=3, centers=10,
                    refine_starts=offsets, refine_ends=offsets)
    outs = {name: [torch.randn(len(LENGTHS), count, m.shape[1], generator=generator)
                   .requires_grad_() for m in masks] for name, count in channels.items()}
    return dict(outs, masks=list(masks))


def in_float64(outs) -> dict:
    """The same leaves for the loops."""
    return {name: [x if x.dtype == torch.bool else x.detach().double().requires_grad_()
                   for x in levels] for name, levels in outs.items()}


def compare(head, loops) -> None:
    """Losses and the gradient of every raw output."""
    ours = raw_outputs(head)
    theirs = in_float64(ours)
    samples = make_samples()
    losses = head.loss_by_targets(ours, head.get_targets(ours, samples))
    expected = loops(theirs, positives(ours['masks'], RANGES, samples))
    for name, value in expected.items():
        assert losses[name].item() == pytest.approx(value.item(), rel=1e-5), name
    sum(losses[name] for name in expected).backward()
    sum(expected.values()).backward()
    for name in LEAVES:
        for level, (x, y) in enumerate(zip(ours[name], theirs[name])):
            a = torch.zeros_like(x) if x.grad is None else x.grad
            b = torch.zeros_like(y) if y.grad is None else y.grad
            assert torch.allclose(a.double(), b, rtol=1e-4, atol=1e-8), f'{name}, level {level}'


@pytest.mark.parametrize('smoothing', [0., 0.1])
def test_paper_loss(smoothing):
    """Eq. 13: over N_pos IoU-weighted varifocal and IoU terms, over N_neg varifocal ones."""
    head = build_head(type='CLTDRHead', label_smoothing=smoothing, reg_weight=1.5)

    def loops(outs, found):
        total = sums(outs, found, RANGES, refined, varifocal(0.75), iou_loss, iou_targets=True,
                     smoothing=smoothing)
        normalizer = 0.9 * 100 + 0.1 * total['num_pos']
        return dict(loss_cls=total['pos'] / normalizer + total['neg'] / total['num_neg'],
                    loss_reg=1.5 * total['reg'] / normalizer)

    compare(head, loops)


def test_paper_loss_with_coarse_supervision():
    head = build_head(type='CLTDRHead', loss_coarse=dict(type='TALFocalLoss'), coarse_weight=0.4)

    def loops(outs, found):
        fine = sums(outs, found, RANGES, refined, varifocal(0.75), iou_loss, iou_targets=True)
        coarse = sums(outs, found, RANGES, trident, focal, iou_loss, 'coarse_logits',
                      iou_targets=True)
        first = 0.9 * 100 + 0.1 * fine['num_pos']
        second = 0.9 * first + 0.1 * fine['num_pos']
        num_neg = fine['num_neg']
        cls = (fine['pos'] / first + fine['neg'] / num_neg,
               coarse['pos'] / second + coarse['neg'] / num_neg)
        return dict(loss_cls=0.6 * cls[0] + 0.4 * cls[1],
                    loss_reg=0.6 * fine['reg'] / first + 0.4 * coarse['reg'] / second)

    compare(head, loops)


@pytest.mark.parametrize('coarse', ['focal', 'varifocal'])
def test_release_loss(coarse):
    """0.7 refined + 0.3 coarse, DIoU; the parity tests add the IoU factor and its slope."""
    kind = dict(focal=dict(type='TALFocalLoss'),
                varifocal=dict(type='TALVarifocalLoss', alpha=0.25))[coarse]
    head = build_head(type='CLTDRHead', variant='release', loss_coarse=kind, iou_power=0.)
    term = focal if coarse == 'focal' else varifocal(0.25)

    def loops(outs, found):
        fine = sums(outs, found, RANGES, lambda *args: refined(*args, release=True),
                    varifocal(0.25), diou_loss)
        rough = sums(outs, found, RANGES, trident, term, diou_loss, 'coarse_logits')
        first = 0.9 * 100 + 0.1 * fine['num_pos']
        second = 0.9 * first + 0.1 * fine['num_pos']
        return dict(
            loss_cls=0.7 * (fine['pos'] + fine['neg']) / first
            + 0.3 * (rough['pos'] + rough['neg']) / second,
            loss_reg=0.7 * fine['reg'] / first + 0.3 * rough['reg'] / second)

    compare(head, loops)


# tables 9 to 11


@pytest.mark.parametrize('refine', [(), ('cls', ), ('reg', ), ('cls', 'reg')])
def test_what_is_refined(refine):
    head = build_head(type='CLTDRHead', refine=refine).eval()
    feats, masks = make_pyramid(LENGTHS)
    with torch.no_grad():
        outs = head(feats, masks)
        zero = torch.tensor([5])
        pairs = head.points(masks), zero * 0, zero, zero * 0
        moved = not torch.equal(head.decode(outs, *pairs),
                                super(type(head), head).decode(outs, *pairs))
    assert moved == ('reg' in refine)
    same = all(torch.equal(a, b) for a, b in zip(outs['cls_logits'], outs['coarse_logits']))
    assert same == ('cls' not in refine)
    assert ('refine_starts' in outs) == ('reg' in refine)
    assert ('refine_logits' in outs) == ('cls' in refine)
    assert hasattr(head, 'clff') == bool(refine)


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


@pytest.mark.parametrize('variant, boundary_feats, raw', [
    ('paper', None, False), ('release', None, True), ('paper', 'pyramid', True),
    ('release', 'decoupled', False)])
def test_boundary_towers_do_not_train_the_pyramid(variant, boundary_feats, raw):
    """In the release they read the pyramid itself, in the paper the fused features, detached."""
    head = build_head(type='CLTDRHead', variant=variant, boundary_feats=boundary_feats)
    feats, masks = make_pyramid(LENGTHS)
    feats = [x.requires_grad_() for x in feats]
    outs = head(feats, masks)
    sum(x.sum() for name in ('starts', 'ends') for x in outs[name]).backward()
    assert all(x.grad is None for x in feats)
    reads_drm = any(p.grad is not None for p in head.drm.parameters())
    assert not reads_drm
    drm = head.drm
    with torch.no_grad():
        for param in drm.parameters():
            param.add_(1.)
        moved = head(feats, masks)['starts'][1]
    assert torch.equal(moved, outs['starts'][1]) == raw


def test_unknown_boundary_feats():
    with pytest.raises(ValueError, match="must be 'decoupled' or 'pyramid', got 'raw'"):
        build_head(type='CLTDRHead', boundary_feats='raw')


def test_kernels_of_the_refine_head():
    base = dict(type='CLTDRHead', num_classes=2, in_channels=8, regression_ranges=RANGES,
                kernel_size=5)

    def kernels(**cfg):
        head = MODELS.build({**base, **cfg}).refine_head
        return tuple(layer.conv.weight.shape[-1]
                     for layer in (head.trunk.convs[0], head.cls_out, head.start_out))

    assert kernels() == (5, 5, 5)
    assert kernels(variant='release') == (5, 5, 7)
    assert kernels(variant='release', refine_kernel_sizes=dict(trunk=3, offset=1)) == (3, 5, 1)
    with pytest.raises(ValueError, match=r"must be of 'trunk', 'cls' and 'offset', got \['side'\]"):
        kernels(refine_kernel_sizes=dict(side=3))


def test_offsets_of_paper_and_release():
    """One pair a step in strides, or one a class in grid steps."""
    for variant, offsets, scale in (('paper', 1, 2.), ('release', 3, 1.)):
        head = build_head(type='CLTDRHead', variant=variant).eval()
        feats, masks = make_pyramid([40])
        with torch.no_grad():
            outs = head(feats, masks)
            assert outs['refine_starts'][1].shape[1] == offsets
            points = head.points(masks)
            point = torch.tensor([masks[0].shape[1] + 3])  # on level 1, of stride 2
            index = point * 0
            coarse = torch.full((1, 2), 50.)
            got = head.refine_distances(coarse, outs, points, index, point, index + offsets - 1)
            start, end = (outs[k][1][0, offsets - 1, 3] for k in ('refine_starts', 'refine_ends'))
        expected = [50 - float(start) * scale / 2, 50 + float(end) * scale / 2]
        assert got[0].tolist() == pytest.approx(expected, abs=1e-4)
        nothing = head.refine_distances(coarse * 0 - 100, outs, points, index, point, index)
        assert nothing.tolist() == [[0., 0.]]


def test_defaults_of_the_variants():
    paper, release = (build_head(type='CLTDRHead', variant=v) for v in ('paper', 'release'))
    assert (paper.loss_cls.alpha, release.loss_cls.alpha) == (0.75, 0.25)
    assert type(paper.loss_reg).__name__ == 'IoU1DLoss'
    assert type(release.loss_reg).__name__ == 'DIoU1DLoss'
    assert paper.loss_coarse is None and type(release.loss_coarse).__name__ == 'TALFocalLoss'
    assert (paper.iou_power, release.iou_power) == (0., 0.25)
    assert paper.iou_targets and paper.balance_negatives
    assert not release.iou_targets and not release.balance_negatives
    assert len(candidates_of(release, [20])[0]) > 0


def test_unknown_refinement():
    with pytest.raises(ValueError, match=r"refine must be among 'cls', 'reg', got \['both'\]"):
        build_head(type='CLTDRHead', refine=('both', ))
