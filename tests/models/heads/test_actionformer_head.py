"""ActionFormer's head: losses and candidates from raw outputs, against loops in float64."""
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
from head_loops import candidates, diou_loss, focal, plain, positives, sums

from cltdr_mm.structures import stack_rows

LENGTHS = [steps for steps, _, _ in VIDEOS]


@pytest.mark.parametrize('smoothing', [0., 0.1])
def test_losses(smoothing):
    """Focal and DIoU; a point of two classes regresses once, for it has one pair of distances."""
    head = build_head(type='ActionFormerHead', label_smoothing=smoothing, reg_weight=2.)
    exact = raw_outputs(head)
    found = positives(exact['masks'], RANGES, make_samples())
    assert any(len(classes) == 2 for video in found for classes, _ in video.values())
    losses = loss_of(head)
    total = sums(exact, found, RANGES, plain, focal, diou_loss, smoothing=smoothing,
                 per_class=False)
    normalizer = 0.9 * 100 + 0.1 * total['num_pos']
    assert losses['loss_cls'].item() == pytest.approx(
        (total['pos'] + total['neg']).item() / normalizer, rel=1e-5)
    assert losses['loss_reg'].item() == pytest.approx(
        2 * total['reg'].item() / normalizer, rel=1e-5)


def test_candidates():
    head = build_head(type='ActionFormerHead').eval()
    exact = raw_outputs(head)
    feats, masks = make_pyramid(LENGTHS)
    for video, result in enumerate(head.predict(feats, masks, make_samples())):
        expected = candidates(exact, RANGES, video, plain, 0.001, 2000, 0.05)
        assert len(result.scores) == len(expected) > 0
        for segment, score, label, row in zip(result.segments.tolist(), result.scores.tolist(),
                                              result.labels.tolist(), expected):
            assert (*segment, score) == pytest.approx(row[:3], abs=1e-4) and label == row[3]


def test_distances_are_scaled_and_not_negative():
    head = build_head(type='ActionFormerHead').eval()
    table = stack_rows(make_tables(LENGTHS))
    with torch.no_grad():
        raw = head.reg_tower(table.rows, table.layout)
        for level, scale in enumerate(head.scales):
            scale.scale.fill_(level - 0.5)
        got = head(make_tables(LENGTHS)).at('distances', table.layout.valid_rows)
    factor = table.layout.level[:, None] - 0.5
    expected = (raw * factor).clamp(min=0)[table.layout.valid_rows]
    assert torch.allclose(got, expected) and got.any() and not got.all()
