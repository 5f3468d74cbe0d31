"""Trident decoding against loops over steps, classes and bins in float64."""
import math

import pytest
import torch

from cltdr_mm.models.task_modules import boundary_windows, expected_distances
from cltdr_mm.structures import Layout

BINS, CLASSES = 4, 3
#: Two levels of two videos, the second of which sees more than it has.
LAYOUT = Layout([8, 3, 4, 2], [8, 5, 4, 3], levels=[0, 0, 1, 1], videos=[0, 1, 0, 1])


def expectation(logits: list) -> float:
    """Mean of 0, 1, 2 .. under a softmax."""
    top = max(logits)
    weights = [math.exp(x - top) for x in logits]
    return sum(distance * w for distance, w in enumerate(weights)) / sum(weights)


def reference(starts, ends, centers, sequence, step, label) -> tuple[float, float]:
    """TriDet, eq. 6 to 9; zeros beyond the valid steps of a level."""
    first, length = LAYOUT.first[sequence], LAYOUT.lengths[sequence]
    center = centers[first + step].tolist()
    left, right = [], []
    for distance in range(BINS + 1):
        before, after = step - distance, step + distance
        start = float(starts[first + before, label]) if before >= 0 else 0.
        end = float(ends[first + after, label]) if after < length else 0.
        left.append(start + center[BINS - distance])
        right.append(end + center[BINS + 1 + distance])
    return expectation(left), expectation(right)


def make_outputs(dtype=torch.float64):
    """Random outputs, also in gaps and padding."""
    generator = torch.Generator().manual_seed(0)
    return [3 * torch.randn(LAYOUT.num_rows, channels, generator=generator, dtype=dtype)
            for channels in (CLASSES, CLASSES, 2 * (BINS + 1))]


def decode(starts, ends, centers, row, label):
    """As a head does it: logits of rows that are none count as 0."""
    (before, is_before), (after, is_after) = boundary_windows(row, LAYOUT, BINS)
    assert before.shape == after.shape == (len(row), BINS + 1)
    label = label[:, None]
    return expected_distances(starts[before, label] * is_before, ends[after, label] * is_after,
                              centers[row])


def test_every_pair():
    """Also at the borders of levels and videos, which must not see each other."""
    outputs = make_outputs()
    pairs = [(sequence, step, label) for sequence, n in enumerate(LAYOUT.lengths)
             for step in range(n) for label in range(CLASSES)]
    row = torch.tensor([LAYOUT.first[sequence] + step for sequence, step, _ in pairs])
    got = decode(*outputs, row, torch.tensor([label for _, _, label in pairs]))
    assert got.shape == (len(pairs), 2) and got.dtype == torch.float32
    for distances, pair in zip(got.tolist(), pairs):
        assert distances == pytest.approx(reference(*outputs, *pair), abs=1e-5)


def test_windows_name_rows_of_the_video():
    """What lies beyond an end is named as the point itself, so that reading it costs nothing."""
    row = LAYOUT.valid_rows
    for rows, of_sequence in boundary_windows(row, LAYOUT, BINS):
        assert torch.equal(LAYOUT.sequence[rows], LAYOUT.sequence[row][:, None].expand_as(rows))
        assert LAYOUT.valid[rows].all()
        assert torch.equal(rows[~of_sequence], row[:, None].expand_as(rows)[~of_sequence])
        assert 0 < int(of_sequence.sum()) < of_sequence.numel()


def test_certain_bins():
    """A distribution on one bin is its distance."""
    starts, ends = torch.zeros(LAYOUT.num_rows, 1), torch.zeros(LAYOUT.num_rows, 1)
    first = LAYOUT.first[0]
    starts[first + 2], ends[first + 7] = 50., 50.
    centers = torch.zeros(LAYOUT.num_rows, 2 * (BINS + 1))
    got = decode(starts, ends, centers, torch.tensor([first + 5]), torch.tensor([0]))
    assert got[0].tolist() == pytest.approx([3., 2.])


def test_gradients_reach_only_what_was_asked():
    starts, ends, centers = (x.requires_grad_() for x in make_outputs(torch.float32))
    first = LAYOUT.first[0]
    decode(starts, ends, centers, torch.tensor([first + 3]), torch.tensor([1])).sum().backward()
    assert (starts.grad.nonzero() - torch.tensor([first, 0])).tolist() == [
        [0, 1], [1, 1], [2, 1], [3, 1]]
    assert (ends.grad.nonzero() - torch.tensor([first, 0])).tolist() == [
        [3, 1], [4, 1], [5, 1], [6, 1], [7, 1]]
    assert (centers.grad.abs().sum(1) > 0).nonzero()[:, 0].tolist() == [first + 3]


def test_no_pair():
    nothing = torch.zeros(0, dtype=torch.int64)
    assert decode(*make_outputs(), nothing, nothing).shape == (0, 2)
