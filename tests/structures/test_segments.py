import pytest
import torch

from cltdr_mm.structures import aligned_segment_iou, clip_segments, segment_iou, segment_lengths


def loop_iou(a, b):
    inter = max(0., min(a[1], b[1]) - max(a[0], b[0]))
    union = max(a[1] - a[0], 0.) + max(b[1] - b[0], 0.) - inter
    return inter / union if union > 0 else 0.


def test_iou_equals_the_loop():
    torch.manual_seed(0)
    a = torch.rand(9, 2, dtype=torch.float64).cumsum(1)
    b = torch.rand(6, 2, dtype=torch.float64).cumsum(1)
    expected = [[loop_iou(x, y) for y in b.tolist()] for x in a.tolist()]
    assert segment_iou(a, b).tolist() == pytest.approx(torch.tensor(expected).numpy(), abs=1e-7)
    assert aligned_segment_iou(a[:6], b).tolist() == pytest.approx(
        [expected[i][i] for i in range(6)])


def test_empty_segments():
    empty = torch.tensor([[3., 3.], [5., 4.]])
    assert segment_lengths(empty).tolist() == [0., 0.]
    assert torch.equal(segment_iou(empty, empty), torch.zeros(2, 2))
    assert segment_iou(torch.zeros(0, 2), empty).shape == (0, 2)


def test_clip():
    assert clip_segments(torch.tensor([[-1., 5.], [3., 12.]]), 0., 10.).tolist() == [
        [0., 5.], [3., 10.]]
