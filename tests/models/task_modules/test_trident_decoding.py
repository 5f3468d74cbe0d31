"""Trident decoding against loops over steps, classes and bins in float64."""
import math

import pytest
import torch

from cltdr_mm.models.task_modules import trident_distances

BINS, CLASSES, LENGTHS = 5, 3, (8, 4, 2)


def expectation(logits: list) -> float:
    """Mean of 0, 1, 2 .. under a softmax."""
    top = max(logits)
    weights = [math.exp(x - top) for x in logits]
    return sum(distance * w for distance, w in enumerate(weights)) / sum(weights)


def reference(starts, ends, centers, video, level, step, label) -> tuple[float, float]:
    """TriDet, eq. 6 to 9; zeros beyond the level."""
    start, end = starts[level][video, label].tolist(), ends[level][video, label].tolist()
    center = centers[level][video, :, step].tolist()
    left, right = [], []
    for distance in range(BINS):
        before, after = step - distance, step + distance
        left.append((start[before] if before >= 0 else 0.) + center[BINS - 1 - distance])
        right.append((end[after] if after < len(end) else 0.) + center[BINS + distance])
    return expectation(left), expectation(right)


def make_levels(dtype=torch.float64):
    """Random outputs of a batch of two."""
    generator = torch.Generator().manual_seed(0)
    return [[3 * torch.randn(2, channels, n, generator=generator, dtype=dtype) for n in LENGTHS]
            for channels in (CLASSES, CLASSES, 2 * BINS)]


def every_pair():
    """Video, level, step, label and number of the point, for all of them."""
    rows = [(video, level, step, label, sum(LENGTHS[:level]) + step)
            for video in range(2) for level, n in enumerate(LENGTHS) for step in range(n)
            for label in range(CLASSES)]
    return rows, [torch.tensor(column) for column in zip(*rows)]


def test_every_pair():
    """Also at the borders of levels and videos, which must not see each other."""
    levels = make_levels()
    rows, (video, level, _, label, point) = every_pair()
    got = trident_distances(*levels, video, point, level, label)
    assert got.shape == (len(rows), 2) and got.dtype == torch.float32
    for pair, row in zip(got.tolist(), rows):
        assert pair == pytest.approx(reference(*levels, *row[:4]), abs=1e-5)


def test_certain_bins():
    """A distribution on one bin is its distance."""
    starts = [torch.zeros(1, 1, 8)]
    ends = [torch.zeros(1, 1, 8)]
    centers = [torch.zeros(1, 2 * BINS, 8)]
    starts[0][0, 0, 2] = 50.
    ends[0][0, 0, 7] = 50.
    index = torch.tensor([0])
    got = trident_distances(starts, ends, centers, index, torch.tensor([5]), index, index)
    assert got[0].tolist() == pytest.approx([3., 2.])


def test_gradients_reach_only_what_was_asked():
    levels = [[x.requires_grad_() for x in part] for part in make_levels(torch.float32)]
    zero = torch.tensor([0])
    trident_distances(*levels, zero, torch.tensor([3]), zero, torch.tensor([1])).sum().backward()
    starts, ends, centers = (part[0].grad for part in levels)
    assert starts[0, 1].nonzero()[:, 0].tolist() == [0, 1, 2, 3]
    assert ends[0, 1].nonzero()[:, 0].tolist() == [3, 4, 5, 6, 7]
    assert (centers[0].abs().sum(0) > 0).nonzero()[:, 0].tolist() == [3]
    assert not starts[0, 0].any() and not starts[1].any()
    # reached through the row that all levels share, by nothing
    assert not levels[0][1].grad.any()


def test_no_pair():
    nothing = torch.zeros(0, dtype=torch.int64)
    got = trident_distances(*make_levels(), nothing, nothing, nothing, nothing)
    assert got.shape == (0, 2)
