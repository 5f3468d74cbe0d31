"""The quality branch: what it sees, what it learns from, and that it ranks."""
import math

import pytest
import torch
from head_batteries import (
    RANGES,
    VIDEOS,
    WIDTH,
    build_head,
    candidates_of,
    loss_of,
    make_samples,
    make_tables,
    point_head,
    total,
)
from mmaction.registry import MODELS
from mmengine.structures import InstanceData
from torch import nn

from cltdr_mm.models.heads import QualityBranch
from cltdr_mm.models.heads.quality_branch import MOVES
from cltdr_mm.models.task_modules import Pairs, pyramid_points
from cltdr_mm.structures import pack, segment_iou, stack_rows

LENGTHS = [53, 30, 9, 1]
HEADS = ['ActionFormerHead', 'TridentHead', 'CLTDRHead', 'CLFFHead']
every_head = pytest.mark.parametrize('name', HEADS)


def build(name, quality=None, **options):
    """A head with and without a branch, the other parameters the same."""
    if quality is not None:
        quality = {'type': 'QualityBranch', **quality}
    head = build_head(type=name, quality=quality, **options)
    state = build_head(type=name, **options).state_dict()
    assert head.load_state_dict(state, strict=False).unexpected_keys == []
    return head


# what it changes


@every_head
def test_nothing_else_changes(name):
    """Other losses, other parameters' gradients and segments: those of the head without it."""
    plain, judged = build(name), build(name, dict(exponent=0.7))
    assert not [key for key in plain.state_dict() if 'quality' in key]
    expected, losses = loss_of(plain.train()), loss_of(judged.train())
    assert set(losses) - set(expected) == {'loss_quality'}
    assert all(torch.equal(losses[key], expected[key]) for key in expected)
    for values in (expected, losses):
        sum(value for key, value in values.items() if 'loss' in key).backward()
    grads = {key: param.grad for key, param in judged.named_parameters()}
    for key, param in plain.named_parameters():
        assert torch.equal(grads[key], param.grad), key
    a, b = candidates_of(plain, [53])[0], candidates_of(judged, [53])[0]
    assert not torch.equal(a.scores.sort().values, b.scores.sort().values)
    judged.quality.exponent = 0.
    b = candidates_of(judged, [53])[0]
    assert torch.equal(a.segments, b.segments) and torch.equal(a.scores, b.scores)


@every_head
def test_score_is_a_weighted_geometric_mean(name):
    head = build(name, dict(exponent=0.3)).eval()
    tables = make_tables(LENGTHS)
    with torch.no_grad():
        score, segments = head.all_points(tables)
        head.quality.exponent = 0.
        own, _ = head.all_points(tables)
        head.quality.exponent = 1.
        quality, _ = head.all_points(tables)
        table = head.table_of(tables, None)
        rows = table.layout.valid_rows
        if segments.shape[1] > 1:  # those of the best class are judged
            segments = segments[torch.arange(len(own)), own.argmax(1)][:, None]
        logits = head.quality(table, pyramid_points(table.layout, RANGES), rows, segments[:, 0])
    assert torch.allclose(score, own**0.7 * quality**0.3, rtol=1e-4)
    assert torch.allclose(quality, logits.sigmoid()[:, None].expand_as(quality), atol=1e-5)
    assert quality.std() > 1e-3


# what it learns from


@pytest.mark.parametrize('detach', [True, False])
@every_head
def test_gradient(name, detach):
    """Of the branch alone, or of the features too; never through boundaries or targets."""
    head = build(name, dict(detach=detach)).train()
    tables = make_tables(LENGTHS)
    for table in tables:
        table.rows.requires_grad_()
    head.loss(tables, None, make_samples())['loss_quality'].backward()
    for key, param in head.named_parameters():
        learns = param.grad is not None and bool(param.grad.any())
        assert learns == key.startswith('quality.'), key
    assert (tables[0].rows.grad is not None and bool(tables[0].rows.grad.any())) != detach
    assert not any(table.rows.grad is not None and table.rows.grad.any() for table in tables[1:])


def test_no_positives():
    """Every parameter takes part, with a gradient of zero."""
    head = build('ActionFormerHead', {}).train()
    loss = loss_of(head, [(30, [], [])])['loss_quality']
    assert loss == 0
    loss.backward()
    assert all(param.grad is not None and not param.grad.any()
               for param in head.quality.parameters())


def test_loss_is_that_of_the_tiou():
    """Of what positives and others decode, towards the action they fit best; plain loops."""
    head = build('ActionFormerHead', dict(num_moved=0, dropout=0., loss_weight=3.)).eval()
    tables, samples = make_tables(LENGTHS), make_samples()
    table = head.table_of(tables, None)
    outs = head.forward_rows(table)
    targets = head.get_targets(outs, samples)
    pairs = Pairs(torch.cat([targets.pairs.row, targets.others.row]),
                  torch.cat([targets.pairs.label, targets.others.label]))
    segments = head.segments(head.forward_rows(table), pairs)  # of networks that run everywhere
    logits = head.quality(table, targets.points, pairs.row, segments).double()
    terms = []
    for row, (start, end), logit in zip(pairs.row.tolist(), segments.tolist(), logits):
        ious = [0.]
        for low, high in samples[table.layout.video[row]].gt_instances.segments.tolist():
            shared = max(0., min(end, high) - max(start, low))
            ious.append(shared / (end - start + high - low - shared))
        p = torch.sigmoid(logit)
        terms.append(-max(ious) * p.log() - (1 - max(ious)) * (1 - p).log())
    loss = head.loss(tables, None, samples)['loss_quality']
    assert len(terms) > 40
    assert loss.item() == pytest.approx(3 * sum(terms).item() / len(terms), rel=1e-4)


@every_head
def test_others_are_the_best_scored_points(name):
    """None of them a positive, a gap or padding; three for each positive pair, or all there are."""
    head = build(name, dict(num_others=3))
    outs = head.forward_rows(head.table_of(make_tables([400, 350], [420, 420]), None))
    videos = [(400, [(50., 56.), (300., 309.)], [0, 2]), (350, [(11., 15.)], [1])]
    targets = head.get_targets(outs, make_samples(videos))
    row, label = targets.others
    best, classes = outs.cls_logits.max(1)
    assert len(row) == 3 * len(targets.pairs.row) == len(row.unique())
    assert torch.equal(label, classes[row])
    free = outs.layout.valid.clone()
    free[targets.pairs.row] = False
    assert free[row].all()
    free[row] = False
    assert best[row].min() >= best[free].max()
    head.quality.num_others = 1000
    others = head.get_targets(head.forward_rows(head.table_of(make_tables([400, 350]), None)),
                              make_samples(videos)).others
    valid = head.table_of(make_tables([400, 350]), None).layout.valid_rows
    assert len(others.row) == len(valid) - len(targets.pairs.row.unique())


def test_moved_boundaries():
    """To both sides, by 0.01 to 0.3 lengths, each copy otherwise, the same in every batch."""
    branch = QualityBranch(WIDTH, num_moved=4)

    def moved(lengths):
        table = stack_rows(make_tables(lengths))
        points = pyramid_points(table.layout, RANGES)
        rows = table.layout.valid_rows
        rows = rows[table.layout.video[rows] == lengths.index(53)]
        segments = torch.stack([points.time[rows] - 3, points.time[rows] + 7], dim=1)
        return segments, branch.moved(points, rows, segments)

    segments, copies = moved([53, 30])
    assert torch.equal(copies, moved([30, 9, 53])[1])
    move = (copies.view(4, -1, 2) - segments) / 10
    assert MOVES == (0.01, 0.3)
    assert move.abs().min() >= 0.0099 and move.abs().max() <= 0.301
    for side in (0, 1):
        share = move[..., side].flatten()
        assert 0.4 < (share > 0).float().mean() < 0.6
        # half of them below the geometric mean of both bounds
        assert 0.4 < (share.abs() < math.sqrt(0.01 * 0.3)).float().mean() < 0.6
    both = (move > 0).long()
    assert torch.bincount((both[..., 0] + 2 * both[..., 1]).flatten()).min() > 0.15 * len(
        copies)
    assert (move.std(0) > 0.01).all()


# what it sees


def test_looks_between_the_steps_of_the_finest_level():
    """A plain loop over looks, also beyond either end of a video, and not into the next one."""
    torch.manual_seed(0)
    branch = QualityBranch(WIDTH, feat_channels=5, steps=(-2, 0.25, 1)).double()
    tables = make_tables([9, 30], [40, 40], dtype=torch.float64)
    table = stack_rows(tables)
    rows = torch.tensor([table.layout.first[i] for i in (0, 1, 3, 3, 4)])  # on all levels
    videos = table.layout.video[rows].tolist()
    segments = torch.tensor([[1.3, 7.9], [-1.2, 33.7], [0., 29.], [11.5, 12.], [-9., -7.]]).double()
    got = branch.look(table, rows, segments)
    narrow, bias = branch.narrow.weight[:, :, 0], branch.narrow.bias
    weight = branch.looks.weight[:, :, 0].view(5, 2, 3, -1)
    layout = tables[0].layout
    for number, video in enumerate(videos):
        first, length = layout.first[video], layout.lengths[video]
        x = tables[0].rows[first:first + length]
        seen = branch.looks.bias.clone()
        for side in (0, 1):
            for index, step in enumerate((-2, 0.25, 1)):
                position = segments[number, side].item() + step
                for at in range(length):
                    near = max(0., 1 - abs(at - position))
                    seen += weight[:, side, index] @ (narrow @ x[at] + bias) * near
        assert torch.allclose(got[number], seen)
    assert got.abs().amax(1)[:4].min() > 0.01
    assert torch.equal(got[4], branch.looks.bias)


# that it ranks


def make_scenes(generator, count):
    """Videos of 64 steps, with features that say where the actions begin and end, and noise."""
    rows, videos = [], []
    at = torch.arange(64)[:, None]
    for _ in range(count):
        bounds = 7. * torch.arange(1, 9) + 5 * torch.rand(8, generator=generator) - 2
        actions = bounds.view(4, 2)
        x = torch.zeros(64, WIDTH)
        x[:, :2] = (1 - (at[..., None] - actions).abs()).clamp(min=0).sum(1)
        x[:, 2] = ((at > actions[:, 0]) & (at < actions[:, 1])).sum(1)
        rows.append(x + 0.05 * torch.randn(x.shape, generator=generator))
        videos.append((64, [tuple(action) for action in actions.tolist()], [0] * 4))
    return [pack(rows)], make_samples(videos)


def test_it_ranks_a_toy_set():
    """A head sees too little to tell the boundaries; which ones are good its branch can tell.

    What is asserted is rank correlation with the tIoU, on new videos, of all candidates that
    touch an action.
    """
    generator = torch.Generator().manual_seed(0)
    torch.manual_seed(0)
    head = MODELS.build(dict(
        type='ActionFormerHead', num_classes=1, in_channels=WIDTH, num_layers=1, kernel_size=1,
        regression_ranges=[(0, 10000)],
        quality=dict(type='QualityBranch', feat_channels=32))).train()
    optimizer = torch.optim.AdamW(head.parameters(), lr=5e-3)
    for _ in range(150):
        feats, samples = make_scenes(generator, 4)
        optimizer.zero_grad()
        total(head.loss(feats, None, samples)).backward()
        optimizer.step()
    feats, samples = make_scenes(generator, 30)
    head.eval()

    def correlation(exponent):
        head.quality.exponent = exponent
        scores, ious = [], []
        for found, sample in zip(head.predict(feats, None, samples), samples):
            iou = segment_iou(found.segments, sample.gt_instances.segments).amax(1)
            scores.append(found.scores[iou > 0.3])
            ious.append(iou[iou > 0.3])
        assert len(torch.cat(ious)) > 200
        ranks = [torch.cat(x).argsort().argsort().double() for x in (scores, ious)]
        return float(torch.corrcoef(torch.stack(ranks))[0, 1])

    without, judged = correlation(0.), correlation(0.8)
    assert judged > without + 0.2 and judged > 0.5


# how it is built


@MODELS.register_module()
class CertainOfEverything(nn.Module):
    """Another part in its place."""

    def __init__(self, in_channels):
        super().__init__()
        self.in_channels = in_channels

    def forward(self, table, points, rows, segments):
        return table.rows.new_zeros(len(rows))

    def others(self, logits, layout, positives):
        return Pairs(positives[:0], positives[:0])

    def loss(self, table, points, rows, segments, actions):
        return segments.sum() / len(rows)

    def fuse(self, scores, logits):
        return scores * logits.sigmoid()[:, None]


def test_another_part():
    plain = build('ActionFormerHead')
    other = build('ActionFormerHead', dict(type='CertainOfEverything'))
    assert other.quality.in_channels == WIDTH
    scores = [point_head(head).eval().all_points(make_tables(LENGTHS))[0]
              for head in (plain, other)]
    assert torch.allclose(scores[0] / 2, scores[1])
    assert loss_of(other.train())['loss_quality'] > 0


@pytest.mark.parametrize('exponent', [-0.1, 1.1, 'half'])
def test_exponent_is_a_share(exponent):
    with pytest.raises(ValueError, match=r'exponent must lie in \[0, 1\]'):
        QualityBranch(WIDTH, exponent=exponent)


def test_unknown_argument():
    with pytest.raises(TypeError, match='QualityBranch has no argument exponant'):
        QualityBranch(WIDTH, exponant=0.5)


def test_inside_action_sensitivity():
    """The wrapped head's branch learns and judges there too."""
    inner = dict(type='ActionFormerHead', num_classes=3, in_channels=WIDTH,
                 regression_ranges=RANGES)
    quality = dict(type='QualityBranch', exponent=0.5)
    head = build_head(type='ASLHead', head=dict(inner, quality=quality))
    assert loss_of(head.train())['loss_quality'] > 0
    found = candidates_of(head, [53])[0]
    head.head.quality.exponent = 0.
    assert isinstance(found, InstanceData)
    assert not torch.equal(found.scores, candidates_of(head, [53])[0].scores)
    assert VIDEOS[0][0] == 53
