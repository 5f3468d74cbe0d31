"""Targets of a batch: the positive (point, class) pairs of all its videos."""
from dataclasses import dataclass

from torch import Tensor

from .points import Pairs, PyramidPoints


@dataclass
class PointTargets:
    """What a batch's points shall predict.

    Attributes:
        points (PyramidPoints): The points.
        pairs (Pairs): The N positive (point, class) pairs, by row, then by class.
        distance (Tensor): (N, 2) to start and end, in strides.
        num_points (Tensor): Number of points with at least one class, a scalar.
    """

    points: PyramidPoints
    pairs: Pairs
    distance: Tensor
    num_points: Tensor

    @property
    def first_of_row(self) -> Tensor:
        """(N,) bool, whether a pair is the first of its point."""
        row = self.pairs.row
        return row.diff(prepend=row.new_full((1, ), -1)) > 0
