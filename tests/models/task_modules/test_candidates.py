"""The best (point, class) pairs of each level, against sorting them all."""
import pytest
import torch

from cltdr_mm.models.task_modules import top_pairs

LENGTHS, CLASSES = (12, 6, 3), 4


def make_levels():
    """Logits and masks of two videos."""
    generator = torch.Generator().manual_seed(0)
    logits = [torch.randn(2, CLASSES, n, generator=generator) for n in LENGTHS]
    masks = [torch.arange(n) < torch.tensor([[n], [n // 2]]) for n in LENGTHS]
    return logits, masks


@pytest.mark.parametrize('limit', [1, 5, 20, 1000])
def test_best_of_each_level(limit):
    logits, masks = make_levels()
    score, point, label = top_pairs(logits, masks, limit)
    sizes = [min(limit, n * CLASSES) for n in LENGTHS]
    assert score.shape == point.shape == label.shape == (2, sum(sizes))
    for video in range(2):
        first = column = 0
        for level, size in enumerate(sizes):
            expected = sorted((
                (float(logits[level][video, c, step].sigmoid() * masks[level][video, step]),
                 first + step, c) for step in range(LENGTHS[level]) for c in range(CLASSES)),
                key=lambda pair: -pair[0])[:size]
            got = list(zip(*(x[video, column:column + size].tolist()
                             for x in (score, point, label))))
            assert [pair[0] for pair in got] == pytest.approx([pair[0] for pair in expected])
            for pair in got:
                if pair[0] > 0:  # those at padding are all alike
                    assert pair[1:] in [other[1:] for other in expected]
            first += LENGTHS[level]
            column += size


def test_half_precision_scores_are_float32():
    logits, masks = make_levels()
    score, _, _ = top_pairs([x.bfloat16() for x in logits], masks, 5)
    assert score.dtype == torch.float32
