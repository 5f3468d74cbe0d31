"""The best (point, class) pairs of each level, against sorting them all."""
import pytest
import torch

from cltdr_mm.models.task_modules import top_pairs
from cltdr_mm.structures import Layout

CLASSES = 4
#: Two levels of three videos, two of them of one length.
SHAPES = dict(lengths=[12, 12, 6, 6, 6, 3], levels=[0, 0, 0, 1, 1, 1], videos=[0, 1, 2, 0, 1, 2])


@pytest.mark.parametrize('seen', [None, [14, 14, 14, 7, 7, 7]])
@pytest.mark.parametrize('limit', [1, 5, 20, 1000])
def test_best_of_each_level(limit, seen):
    """Of every video; never a row of the padding or of a gap."""
    layout = Layout(seen=seen, **SHAPES)
    scores = torch.rand(layout.num_rows, CLASSES, generator=torch.Generator().manual_seed(0))
    outside = torch.ones(layout.num_rows, dtype=torch.bool)
    outside[layout.valid_rows] = False
    scores[outside] = 2.
    best, pairs = top_pairs(scores, layout, limit)
    assert torch.equal(best, scores[pairs.row, pairs.label])
    got = {}
    for row, label, score in zip(pairs.row.tolist(), pairs.label.tolist(), best.tolist()):
        got.setdefault(int(layout.sequence[row]), []).append((score, row, label))
    for index, (first, length) in enumerate(zip(layout.first, layout.lengths)):
        expected = sorted(((float(scores[row, c]), row, c) for row in range(first, first + length)
                           for c in range(CLASSES)), reverse=True)[:limit]
        assert sorted(got[index], reverse=True) == expected
    assert len(got) == len(layout)
