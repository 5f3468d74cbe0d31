"""Points of a pyramid."""
import torch

from cltdr_mm.models.task_modules import pyramid_points
from cltdr_mm.structures import Layout


def test_points():
    layout = Layout([4, 2, 2, 1], [4, 3, 2, 2], levels=[0, 0, 1, 1], videos=[0, 1, 0, 1])
    points = pyramid_points(layout, [(0, 4), (4, 1e4)])
    assert len(points) == layout.num_rows
    rows = layout.seen_rows
    assert points.time[rows].tolist() == [0, 1, 2, 3, 0, 1, 2, 0, 2, 0, 2]
    assert points.stride[rows].tolist() == [1] * 7 + [2] * 4
    assert points.level[rows].tolist() == [0] * 7 + [1] * 4
    assert points.low[rows].tolist() == [0] * 7 + [4] * 4
    assert points.high[rows].tolist() == [4] * 7 + [1e4] * 4
    assert points.video[rows].tolist() == [0] * 4 + [1] * 3 + [0] * 2 + [1] * 2
    assert points.valid.nonzero()[:, 0].tolist() == layout.valid_rows.tolist()
    assert points.level.dtype == points.video.dtype == torch.int64
