"""The best (point, class) pairs of each level, against sorting them all."""
import pytest
import torch

from cltdr_mm.models.task_modules import Pairs, candidates_of, top_pairs
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


def test_scores_above_the_threshold():
    """One that is no number stays, so that it is seen."""
    layout = Layout([3], gap=0)
    scores = torch.tensor([[0.1, 0.5], [0.5, 0.6], [float('nan'), 0.2]])
    best, pairs = top_pairs(scores, layout, 10, score_thr=0.5)
    kept = {(row, label) for row, label in zip(pairs.row.tolist(), pairs.label.tolist())}
    assert kept == {(1, 1), (2, 0)} and len(best) == 2


def test_candidates_go_to_their_videos():
    layout = Layout([2, 1, 2], videos=[1, 0, 2], gap=1)
    pairs = Pairs(torch.tensor([1, 4, 2, 7]), torch.tensor([0, 3, 1, 2]))
    segments = torch.tensor([[0., 2.], [1., 3.], [1., 1.5], [0., 1.]])
    found = candidates_of(torch.tensor([.9, .8, .7, .6]), pairs, segments, layout, 0.5, 3)
    assert [one.labels.tolist() for one in found] == [[3], [0], [2]], 'one is too short'
    assert [one.segments.tolist() for one in found] == [[[1., 3.]], [[0., 2.]], [[0., 1.]]]
    assert torch.equal(found[0].scores, torch.tensor([.8]))
