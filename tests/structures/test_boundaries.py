"""Starts and ends that are likely, paired."""
import numpy as np
import pytest

from cltdr_mm.structures import boundary_proposals


def test_likely_starts_meet_later_ends():
    start = np.array([.1, .2, .9, .3, .2, .6, .1], np.float32)
    end = np.array([.1, .1, .1, .2, .8, .3, .2], np.float32)
    segments, scores = boundary_proposals(start, end)
    # likely starts: 0, 2 (peak), 5 (peak), 6; likely ends: 0, 4 (peak), 6
    pairs = {(0, 4), (2, 4), (0, 6), (2, 6), (5, 6)}
    assert {tuple((s * 7 - 0.5).round().astype(int)) for s in segments} == pairs
    best = scores.argmax()
    assert scores[best] == pytest.approx(.9 * .8)
    assert segments[best].tolist() == pytest.approx([2.5 / 7, 4.5 / 7])
