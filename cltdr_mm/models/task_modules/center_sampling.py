"""Centre sampling: which points answer for which action (ActionFormer, ECCV 2022, sec. 3.3)."""
from dataclasses import dataclass
from typing import Optional

import torch
from mmaction.registry import TASK_UTILS
from torch import Tensor

from .points import PyramidPoints


@dataclass
class Assignment:
    """Positive (point, class) pairs of one video.

    Attributes:
        point (Tensor): (N,) int64 indices into the pyramid's points, ascending.
        label (Tensor): (N,) int64 classes; a point with two classes stands twice.
        distance (Tensor): (N, 2) distances to start and end, in strides of the point's level.
        gt (Tensor): (N,) int64 index of the action that the distances belong to.
    """

    point: Tensor
    label: Tensor
    distance: Tensor
    gt: Tensor


def boundary_distances(points: PyramidPoints, segments: Tensor) -> Tensor:
    """Signed distances of every point to the boundaries of every action.

    Args:
        points (PyramidPoints): P points.
        segments (Tensor): (G, 2) in grid steps.

    Returns:
        Tensor: (P, G, 2) in grid steps, to start and end; both positive inside.
    """
    return torch.stack([points.time[:, None] - segments[None, :, 0],
                        segments[None, :, 1] - points.time[:, None]], dim=-1)


def assignment_of(points: PyramidPoints, positive: Tensor, gt_of_point: Tensor,
                  segments: Tensor, labels: Tensor) -> Assignment:
    """Turn a (point, action) matrix into (point, class) pairs.

    Args:
        points (PyramidPoints): P points.
        positive (Tensor): (P, G) bool, the actions whose classes a point takes.
        gt_of_point (Tensor): (P,) int64, the action whose boundaries a point regresses.
        segments (Tensor): (G, 2) in grid steps.
        labels (Tensor): (G,) int64.

    Returns:
        Assignment: Each (point, class) pair once, in ascending order.
    """
    point, gt = positive.nonzero(as_tuple=True)
    pairs = torch.stack([point, labels[gt]], dim=1).unique(dim=0)  # sorted
    point, label = pairs[:, 0], pairs[:, 1]
    gt = gt_of_point[point]
    time, stride = points.time[point], points.stride[point]
    distance = torch.stack([time - segments[gt, 0], segments[gt, 1] - time], dim=-1)
    return Assignment(point, label, distance / stride[:, None], gt)


@TASK_UTILS.register_module()
class CenterSamplingAssigner:
    """Points near an action's centre, on the level whose range holds its boundaries.

    A point belongs to an action if it lies inside it, within ``radius`` strides of its centre,
    and if the farther boundary lies inside the level's regression range. Among several actions
    the shortest wins; those within 1e-3 grid steps of its length add their classes, but the
    boundaries are the winner's.

    Args:
        radius (float, optional): Half width of the sampled zone in strides; None takes all
            points inside the action. Defaults to 1.5.
    """

    #: Whether :meth:`assign` needs the head's predictions.
    needs_predictions = False

    def __init__(self, radius: Optional[float] = 1.5) -> None:
        if radius is not None and not radius > 0:
            raise ValueError(f'CenterSamplingAssigner: radius must be positive, got {radius}')
        self.radius = radius

    @torch.no_grad()
    def assign(self, points: PyramidPoints, segments: Tensor, labels: Tensor) -> Assignment:
        """Assign points to the actions of one video.

        Args:
            points (PyramidPoints): P points.
            segments (Tensor): (G, 2) in grid steps.
            labels (Tensor): (G,) int64.

        Returns:
            Assignment: The positive pairs; none if there is no action.
        """
        if segments.numel() == 0:
            nothing = labels.new_zeros(0)
            return Assignment(nothing, nothing, segments.new_zeros(0, 2), nothing)
        inside = self.candidates(points, segments)
        lengths = (segments[:, 1] - segments[:, 0]).expand(len(points), -1)
        lengths = lengths.masked_fill(~inside, float('inf'))
        shortest, gt_of_point = lengths.min(dim=1)
        positive = inside & (lengths <= shortest[:, None] + 1e-3)
        return assignment_of(points, positive, gt_of_point, segments, labels)

    def candidates(self, points: PyramidPoints, segments: Tensor) -> Tensor:
        """Which points may answer for which actions, before any conflict is settled.

        Args:
            points (PyramidPoints): P points.
            segments (Tensor): (G, 2) in grid steps.

        Returns:
            Tensor: (P, G) bool: in the action's sampled zone, on a level with its range.
        """
        to_boundary = boundary_distances(points, segments)  # (P, G, 2)
        if self.radius is None:
            inside = to_boundary.amin(-1) > 0
        else:
            centre = segments.mean(-1)
            reach = points.stride[:, None] * self.radius
            starts = torch.maximum(centre - reach, segments[:, 0])  # (P, G)
            ends = torch.minimum(centre + reach, segments[:, 1])
            time = points.time[:, None]
            inside = (time > starts) & (time < ends)
        farthest = to_boundary.amax(-1)
        return inside & (farthest >= points.low[:, None]) & (farthest <= points.high[:, None])
