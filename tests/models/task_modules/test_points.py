"""Points of a pyramid."""
import torch

from cltdr_mm.models.task_modules import pyramid_points


def test_points():
    points = pyramid_points([4, 2, 1], [(0, 4), (4, 8), (8, 1e4)], torch.device('cpu'))
    assert len(points) == 7 and points.lengths == (4, 2, 1)
    assert points.time.tolist() == [0, 1, 2, 3, 0, 2, 0]
    assert points.stride.tolist() == [1, 1, 1, 1, 2, 2, 4]
    assert points.level.tolist() == [0, 0, 0, 0, 1, 1, 2]
    assert points.low.tolist() == [0, 0, 0, 0, 4, 4, 8]
    assert points.high.tolist() == [4, 4, 4, 4, 8, 8, 1e4]
    assert points.level.dtype == torch.int64
