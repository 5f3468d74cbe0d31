"""The points of a pyramid: every step of every level is a candidate centre of an action."""
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from ...structures import Layout


class Pairs(NamedTuple):
    """Chosen (point, class) pairs.

    Attributes:
        row (Tensor): (N,) int64, rows of the points in the table of all levels and videos.
        label (Tensor): (N,) int64 classes.
    """

    row: Tensor
    label: Tensor


class Actions(NamedTuple):
    """The actions of a batch.

    Attributes:
        segments (Tensor): (G, 2) in grid steps of their videos.
        labels (Tensor): (G,) int64.
        video (Tensor): (G,) int64, which video of the batch.
        num_classes (int): Classes K.
    """

    segments: Tensor
    labels: Tensor
    video: Tensor
    num_classes: int


@dataclass
class PyramidPoints:
    """The points of all levels and videos of a batch, one a row; gaps and padding are none.

    Attributes:
        time (Tensor): (R,) positions in grid steps.
        stride (Tensor): (R,) grid steps between neighbours on the point's level.
        level (Tensor): (R,) int64 number of the level.
        low (Tensor): (R,) smallest regression distance of the level, in grid steps.
        high (Tensor): (R,) largest one.
        video (Tensor): (R,) int64.
        valid (Tensor): (R,) bool, whether the row is a point.
    """

    time: Tensor
    stride: Tensor
    level: Tensor
    low: Tensor
    high: Tensor
    video: Tensor
    valid: Tensor

    def __len__(self) -> int:
        return self.time.numel()


def pyramid_points(layout: Layout,
                   regression_ranges: Sequence[tuple[float, float]]) -> PyramidPoints:
    """Lay out the points of a pyramid whose level ``l`` has stride ``2 ** l``.

    Args:
        layout (Layout): Of a table of all levels.
        regression_ranges (Sequence[tuple[float, float]]): Per level, the smallest and largest
            distance (grid steps) that its points regress.

    Returns:
        PyramidPoints: The points.
    """
    level = layout.level
    stride = (2**level).float()
    low, high = torch.tensor(regression_ranges, dtype=torch.float32).to(level.device)[level].T
    return PyramidPoints(layout.step * stride, stride, level, low, high, layout.video,
                         layout.valid)
