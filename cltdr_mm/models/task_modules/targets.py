"""Targets of a batch: the positive (point, class) pairs of all its videos."""
from dataclasses import dataclass

from torch import Tensor

from .points import PyramidPoints


@dataclass
class PointTargets:
    """What a batch's points shall predict.

    Attributes:
        points (PyramidPoints): The P points, the same for every video.
        valid (Tensor): (B, P) bool, False at padding.
        batch (Tensor): (N,) int64, video of each positive (point, class) pair.
        point (Tensor): (N,) int64.
        label (Tensor): (N,) int64.
        distance (Tensor): (N, 2) to start and end, in strides.
        gt (Tensor): (N,) int64, index of the action within its video.
        num_points (Tensor): Number of points with at least one class, a scalar.
    """

    points: PyramidPoints
    valid: Tensor
    batch: Tensor
    point: Tensor
    label: Tensor
    distance: Tensor
    gt: Tensor
    num_points: Tensor

    @property
    def level(self) -> Tensor:
        """Tensor: (N,) int64, level of each pair's point."""
        return self.points.level[self.point]
