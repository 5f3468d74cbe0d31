"""Trident head: losses and candidates from raw outputs, against loops in float64."""
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
from head_loops import candidates, diou_loss, focal, positives, sums, trident
from mmaction.registry import MODELS

from cltdr_mm.structures import stack_rows

LENGTHS = [steps for steps, _, _ in VIDEOS]


@pytest.mark.parametrize('power, smoothing', [(0., 0.), (0.25, 0.), (1., 0.1)])
def test_losses(power, smoothing):
    """Focal terms, at positives times IoU ** power, and DIoU, over the running positives."""
    head = build_head(type='TridentHead', iou_power=power, label_smoothing=smoothing,
                      reg_weight=0.5)
    exact = raw_outputs(head)
    losses = loss_of(head)
    total = sums(exact, positives(exact['masks'], RANGES, make_samples()), RANGES, trident, focal,
                 diou_loss, power=power, smoothing=smoothing)
    normalizer = 0.9 * 100 + 0.1 * total['num_pos']
    assert losses['num_pos'] == total['num_pos'] > 20
    assert losses['loss_cls'].item() == pytest.approx(
        (total['pos'] + total['neg']).item() / normalizer, rel=1e-5)
    assert losses['loss_reg'].item() == pytest.approx(
        0.5 * total['reg'].item() / normalizer, rel=1e-5)


def test_a_class_has_its_own_boundaries():
    """A point of two classes regresses twice: the tie in the first video counts."""
    found = positives(make_pyramid(LENGTHS)[1], RANGES, make_samples())
    assert any(len(classes) == 2 for video in found for classes, _ in video.values())
    head = build_head(type='TridentHead')
    exact = raw_outputs(head)
    once = sums(exact, found, RANGES, trident, focal, diou_loss, per_class=False)
    twice = sums(exact, found, RANGES, trident, focal, diou_loss)
    assert twice['reg'] > once['reg']


@pytest.mark.parametrize('limit, score_thr, min_length', [(1000, 0.001, 0.05), (9, 0.3, 2.)])
def test_candidates(limit, score_thr, min_length):
    head = build_head(type='TridentHead', test_cfg=dict(
        score_thr=score_thr, nms_pre=limit, min_length=min_length)).eval()
    exact = raw_outputs(head)
    feats, masks = make_pyramid(LENGTHS)
    results = head.predict(feats, masks, make_samples())
    for video, result in enumerate(results):
        expected = candidates(exact, RANGES, video, trident, score_thr, limit, min_length)
        got = [(*segment, score, label) for segment, score, label in zip(
            result.segments.tolist(), result.scores.tolist(), result.labels.tolist())]
        assert len(got) == len(expected)
        for row, (start, end, score, label) in zip(got, expected):
            assert row[3] == label
            assert row[:3] == pytest.approx((start, end, score), abs=1e-4)
    assert len(results[0].scores) > 20


def test_boundaries_do_not_train_the_pyramid():
    head = build_head(type='TridentHead')
    feats, masks = make_pyramid(LENGTHS)
    feats = [x.requires_grad_() for x in feats]
    outs = head(feats, masks)
    sum(x.sum() for name in ('starts', 'ends') for x in outs[name]).backward()
    assert all(x.grad is None for x in feats)
    sum(x.sum() for x in outs['centers']).backward()
    assert all(x.grad.any() for x in feats)


def test_centers_are_scaled_and_not_negative():
    head = build_head(type='TridentHead').eval()
    table = stack_rows(make_tables(LENGTHS))
    rows = table.layout.valid_rows
    with torch.no_grad():
        raw = head.center_tower(table.rows, table.layout)
        for level, scale in enumerate(head.scales):
            scale.scale.fill_(level - 0.5)
        got = head(make_tables(LENGTHS)).at('centers', rows)
    expected = (raw * (table.layout.level[:, None] - 0.5)).clamp(min=0)[rows]
    assert torch.allclose(got, expected) and got.any() and not got.all()


def test_boundary_towers():
    head = build_head(type='TridentHead', num_bins=6, kernel_size=5, boundary_kernel_size=1,
                      feat_channels=24)
    assert head.start_tower.convs[0].conv.weight.shape == (24, 16, 1)
    assert head.end_tower.out.conv.weight.shape == (3, 24, 1)
    assert head.center_tower.out.conv.weight.shape == (14, 24, 5)
    assert head.cls_tower.convs[1].conv.weight.shape == (24, 24, 5)


def test_boundary_init():
    torch.manual_seed(0)
    head = MODELS.build(dict(type='TridentHead', num_classes=20, in_channels=64,
                             regression_ranges=RANGES, boundary_init_std=0.1))
    for tower in (head.start_tower, head.end_tower):
        assert float(tower.convs[0].conv.weight.std()) == pytest.approx(0.1, rel=0.05)
        assert float(tower.out.conv.weight.std()) == pytest.approx(0.1, rel=0.05)
    assert float(head.cls_tower.out.conv.weight.std()) < 0.06


def test_no_bins():
    with pytest.raises(ValueError, match='TridentHead: num_bins must be positive, got 0'):
        build_head(type='TridentHead', num_bins=0)
