import importlib

import pytest
import torch
from mmaction.registry import TASK_UTILS

from cltdr_mm.postprocessing.functional import segment_voting

from .loops import vote

module = importlib.import_module('cltdr_mm.postprocessing.functional.voting')


def make(seed, num=80):
    g = torch.Generator().manual_seed(seed)
    starts = torch.rand(num, generator=g) * 12
    segments = torch.stack([starts, starts + 1 + torch.rand(num, generator=g) * 4], dim=1)
    return segments, torch.rand(num, generator=g), torch.randint(0, 3, (num, ), generator=g)


@pytest.mark.parametrize('threshold', [0.3, 0.75, 1.0])
@pytest.mark.parametrize('at_once', [1, 300, 10**6])
def test_equals_the_loop(threshold, at_once, monkeypatch):
    """Also in blocks: the memory bound must not change anything."""
    monkeypatch.setattr(module, 'PAIRS_AT_ONCE', at_once)
    for seed in range(3):
        segments, scores, labels = make(seed)
        kept = torch.randperm(len(scores), generator=torch.Generator().manual_seed(seed))[:20]
        found = segment_voting(segments[kept], segments, scores, labels[kept], labels, threshold)
        expected = vote(segments[kept].tolist(), labels[kept].tolist(), segments.tolist(),
                        scores.tolist(), labels.tolist(), threshold)
        torch.testing.assert_close(found, torch.tensor(expected), atol=1e-5, rtol=1e-6)
        agnostic = segment_voting(segments[kept], segments, scores, iou_threshold=threshold)
        expected = vote(segments[kept].tolist(), [0] * 20, segments.tolist(), scores.tolist(),
                        [0] * len(scores), threshold)
        torch.testing.assert_close(agnostic, torch.tensor(expected), atol=1e-5, rtol=1e-6)


def test_known_numbers():
    """Both voters: weights 0.6 * 1 and 0.3 * 0.8 for [0, 10] and [2, 10]."""
    segments = torch.tensor([[0., 10.], [2., 10.], [20., 30.]])
    found = segment_voting(segments[:1], segments, torch.tensor([0.6, 0.3, 0.9]),
                           iou_threshold=0.75)
    assert found.tolist() == [[pytest.approx(0.24 * 2 / 0.84), 10.]]


def test_nobody_votes():
    """A segment of length zero overlaps nothing, not even itself; score 0 has no weight."""
    segments = torch.tensor([[3., 3.], [5., 6.]])
    found = segment_voting(segments, segments, torch.tensor([0.5, 0.]), iou_threshold=0.5)
    assert found.tolist() == segments.tolist()
    assert segment_voting(segments[:0], segments, torch.rand(2)).shape == (0, 2)


def test_bad_thresholds():
    with pytest.raises(ValueError, match='must be positive'):
        segment_voting(torch.zeros(1, 2), torch.zeros(1, 2), torch.zeros(1), iou_threshold=0.)
    with pytest.raises(ValueError, match=r'in \(0, 1\]'):
        TASK_UTILS.build(dict(type='SegmentVoting', iou_threshold=1.5))
