"""CLFF-Head: fusion and loss against loops in float64, gradients."""
import math

import pytest
import torch
from batteries import randomise
from head_batteries import (
    CLASSES,
    RANGES,
    WIDTH,
    build_head,
    make_pyramid,
    make_samples,
    make_tables,
)
from mmaction.registry import MODELS

from cltdr_mm.structures import PackedRows, split_levels, stack_rows, unpack

BINS = 3


def build(**kwargs):
    torch.manual_seed(0)
    return MODELS.build(dict(type='CLFFHead', num_classes=CLASSES, in_channels=WIDTH,
                             regression_ranges=RANGES, num_bins=BINS, **kwargs))


def test_fusion_is_its_definition():
    head = randomise(build()).double()
    tables = make_tables([13, 6], dtype=torch.float64)
    table = stack_rows(tables)
    fused = split_levels(PackedRows(head.fuse(table), table.layout))
    assert not head.fuse(table)[table.layout.gap_rows].any()
    weight, bias = head.resample.conv.weight, head.resample.conv.bias
    w1, w2 = head.weight_own.scale.item(), head.weight_finer.scale.item()
    feats = [unpack(x)[0] for x in tables]
    for level, levels in enumerate(fused):
        got = unpack(levels)[0]
        for b, length in enumerate(tables[level].layout.lengths):
            for t in range(length):
                for c in range(WIDTH):
                    value = w1 * float(feats[level][b, c, t])
                    if level > 0:
                        finer = feats[level - 1][b, c]
                        taps = [(k, 2 * t + k - 1) for k in range(3)
                                if 0 <= 2 * t + k - 1 < tables[level - 1].layout.lengths[b]]
                        value += w2 * (float(bias[c]) + sum(
                            float(weight[c, 0, k]) * float(finer[s]) for k, s in taps))
                    assert float(got[b, c, t]) == pytest.approx(value, abs=1e-10)


def test_only_the_centre_looks_at_the_finer_level():
    head = randomise(build()).double()
    feats, masks = make_pyramid([12], dtype=torch.float64)
    before = head(feats, masks)
    after = head([feats[0] + masks[0][:, None], *feats[1:]], masks)
    for name in ('cls_logits', 'starts', 'ends'):
        assert torch.equal(before[name][1], after[name][1])
    assert not torch.equal(before['centers'][1], after['centers'][1])
    # and only the next one
    assert torch.equal(before['centers'][2], after['centers'][2])


def test_boundaries_start_as_the_paper_says_and_do_not_train_the_pyramid():
    head = build(feat_channels=64)
    for tower in (head.start_tower, head.end_tower):
        for module in tower.modules():
            if isinstance(module, torch.nn.Conv1d):
                assert float(module.weight.detach().std()) == pytest.approx(0.1, rel=0.15)
    assert float(head.weight_own.scale) == float(head.weight_finer.scale) == 1
    feats, masks = make_pyramid([12])
    feats = [x.requires_grad_() for x in feats]
    outs = head(feats, masks)
    sum(x.sum() for x in outs['starts'] + outs['ends']).backward()
    assert all(x.grad is None for x in feats)


def loss_reference(head, outs, targets, literal):
    """LoGo eq. 7, point by point, the normaliser taken as the number of positives.

    Negatives are divided by it too, or literally by their own number.
    """
    pairs = list(zip(targets.pairs.row.tolist(), targets.pairs.label.tolist()))
    distance, logits = head.decode(outs, targets.pairs), outs.cls_logits.double()
    overlap, regression = {}, 0.
    for index, pair in enumerate(pairs):
        (l1, r1), (l2, r2) = distance[index].tolist(), targets.distance[index].tolist()
        shared = min(l1, l2) + min(r1, r2)
        union = l1 + r1 + l2 + r2 - shared
        hull = max(l1, l2) + max(r1, r2)
        overlap[pair] = shared / union
        regression += 1 - shared / union + (hull - union) / hull
    positive, negative, num_negative = 0., 0., 0
    of_class = {row for row, _ in pairs}
    for row in outs.layout.valid_rows.tolist():
        for k in range(CLASSES):
            prob = 1 / (1 + math.exp(-float(logits[row, k])))
            if (row, k) in overlap:
                term = -0.25 * (1 - prob)**2 * math.log(prob) * overlap[row, k]
            else:
                term = -0.75 * prob**2 * math.log(1 - prob)
            if row in of_class:
                positive += term
            else:
                negative += term
        num_negative += row not in of_class
    over = num_negative if literal else len(of_class)
    return positive / len(of_class) + negative / over, regression / len(of_class)


@pytest.mark.parametrize('literal', [False, True])
def test_loss_is_equation_7(literal):
    head = build_head(type='CLFFHead', num_bins=BINS, normalizer=dict(momentum=0.),
                      **(dict(balance_negatives=True) if literal else {})).double()
    outs = head(make_tables([21, 12], dtype=torch.float64))
    targets = head.get_targets(outs, make_samples([
        (21, [[2.2, 6.9], [3., 18.], [10., 13.]], [0, 1, 1]), (12, [[1., 9.6]], [2])]))
    assert len(targets.pairs.row) > 8
    losses = head.loss_by_targets(outs, targets)
    loss_cls, loss_reg = loss_reference(head, outs, targets, literal)
    assert float(losses['loss_cls']) == pytest.approx(loss_cls, rel=1e-5)
    assert float(losses['loss_reg']) == pytest.approx(loss_reg, rel=1e-5)


def test_the_iou_is_a_weight_and_no_target():
    """Lowering the overlap of a badly classified point must not pay."""
    head = build_head(type='CLFFHead')
    samples = make_samples([(21, [[2., 6.]], [0])])
    head.loss(make_tables([21]), None, samples)['loss_cls'].backward()
    for tower in (head.center_tower, head.start_tower):
        grad = tower.out.conv.weight.grad
        assert grad is None or not grad.any()
    assert head.cls_tower.out.conv.weight.grad.any()
