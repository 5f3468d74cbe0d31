"""The points of a pyramid: every step of every level is a candidate centre of an action."""
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass
class PyramidPoints:
    """All points of a pyramid, level after level, finest first.

    Attributes:
        time (Tensor): (P,) positions in grid steps.
        stride (Tensor): (P,) grid steps between neighbours on the point's level.
        level (Tensor): (P,) int64 number of the level.
        low (Tensor): (P,) smallest regression distance of the level, in grid steps.
        high (Tensor): (P,) largest one.
        lengths (Tuple[int, ...]): Steps of each level.
    """

    time: Tensor
    stride: Tensor
    level: Tensor
    low: Tensor
    high: Tensor
    lengths: tuple[int, ...]

    def __len__(self) -> int:
        return self.time.numel()


def pyramid_points(lengths: Sequence[int], regression_ranges: Sequence[tuple[float, float]],
                   device: torch.device) -> PyramidPoints:
    """Lay out the points of a pyramid whose level ``l`` has stride ``2 ** l``.

    Args:
        lengths (Sequence[int]): Steps of each level.
        regression_ranges (Sequence[Tuple[float, float]]): Per level, the smallest and largest
            distance (grid steps) that its points regress.
        device (torch.device): Where the tensors shall lie.

    Returns:
        PyramidPoints: The points.
    """
    time, stride, level, low, high = [], [], [], [], []
    for index, (length, bounds) in enumerate(zip(lengths, regression_ranges)):
        step = 2**index
        time.append(torch.arange(length, device=device, dtype=torch.float32) * step)
        stride.append(torch.full((length, ), float(step), device=device))
        level.append(torch.full((length, ), index, device=device, dtype=torch.int64))
        low.append(torch.full((length, ), float(bounds[0]), device=device))
        high.append(torch.full((length, ), float(bounds[1]), device=device))
    return PyramidPoints(torch.cat(time), torch.cat(stride), torch.cat(level), torch.cat(low),
                         torch.cat(high), tuple(lengths))
