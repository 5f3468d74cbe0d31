"""Centre sampling: which points answer for which action (ActionFormer, ECCV 2022, sec. 3.3)."""
from dataclasses import dataclass
from typing import Optional

import torch
from mmaction.registry import TASK_UTILS
from torch import Tensor

from .points import Actions, Pairs, PyramidPoints


@dataclass
class Assignment:
    """Positive (point, class) pairs of a batch.

    Attributes:
        pairs (Pairs): (N,) rows, ascending, and classes; a point of two classes stands twice.
        distance (Tensor): (N, 2) distances to start and end, in strides of the point's level.
        gt (Tensor): (N,) int64 index of the action that the distances belong to.
    """

    pairs: Pairs
    distance: Tensor
    gt: Tensor


def boundary_distances(points: PyramidPoints, segments: Tensor) -> Tensor:
    """Signed distances of every point to the boundaries of every action.

    Args:
        points (PyramidPoints): R points.
        segments (Tensor): (G, 2) in grid steps.

    Returns:
        Tensor: (R, G, 2) in grid steps, to start and end; both positive inside.
    """
    return torch.stack([points.time[:, None] - segments[None, :, 0],
                        segments[None, :, 1] - points.time[:, None]], dim=-1)


def assignment_of(points: PyramidPoints, positive: Tensor, gt_of_point: Tensor,
                  actions: Actions) -> Assignment:
    """Turn a (point, action) matrix into (point, class) pairs.

    Args:
        points (PyramidPoints): R points.
        positive (Tensor): (R, G) bool, the actions whose classes a point takes.
        gt_of_point (Tensor): (R,) int64, the action whose boundaries a point regresses.
        actions (Actions): The G actions.

    Returns:
        Assignment: Each (point, class) pair once, in ascending order.
    """
    classes = torch.arange(actions.num_classes, device=actions.labels.device)
    of_class = (actions.labels[:, None] == classes).float()  # (G, K)
    # a class that two actions share at a point is one pair
    row, label = (positive.float() @ of_class > 0).nonzero(as_tuple=True)
    gt = gt_of_point[row]
    time, stride = points.time[row], points.stride[row]
    segments = actions.segments[gt]
    distance = torch.stack([time - segments[:, 0], segments[:, 1] - time], dim=-1)
    return Assignment(Pairs(row, label), distance / stride[:, None], gt)


@TASK_UTILS.register_module()
class CenterSamplingAssigner:
    """Points near an action's centre, on the level whose range holds its boundaries.

    A point belongs to an action of its video if it lies inside it, within ``radius`` strides of its
    centre, and if the farther boundary lies inside the level's regression range. Among several
    actions the shortest wins; those within 1e-3 grid steps of its length add their classes, but the
    boundaries are the winner's.

    Args:
        radius (float, optional): Half width of the sampled zone in strides; None takes all
            points inside the action. Defaults to 1.5.
        all_classes (bool): Whether actions of any length add their classes, as published for
            Ego4D; the boundaries are still the shortest one's. Defaults to False.
    """

    #: Whether :meth:`assign` needs the head's predictions.
    needs_predictions = False

    def __init__(self, radius: Optional[float] = 1.5, all_classes: bool = False) -> None:
        if radius is not None and not radius > 0:
            raise ValueError(f'CenterSamplingAssigner: radius must be positive, got {radius}')
        self.radius = radius
        self.all_classes = all_classes

    @torch.no_grad()
    def assign(self, points: PyramidPoints, actions: Actions) -> Assignment:
        """Assign the points of a batch to its actions.

        Args:
            points (PyramidPoints): R points.
            actions (Actions): G actions.

        Returns:
            Assignment: The positive pairs; none if there is no action.
        """
        segments = actions.segments
        if segments.numel() == 0:
            nothing = actions.labels.new_zeros(0)
            return Assignment(Pairs(nothing, nothing), segments.new_zeros(0, 2), nothing)
        inside = self.candidates(points, actions)
        lengths = (segments[:, 1] - segments[:, 0]).expand(len(points), -1)
        lengths = lengths.masked_fill(~inside, float('inf'))
        shortest, gt_of_point = lengths.min(dim=1)
        positive = inside
        if not self.all_classes:
            positive = inside & (lengths <= shortest[:, None] + 1e-3)
        return assignment_of(points, positive, gt_of_point, actions)

    def candidates(self, points: PyramidPoints, actions: Actions) -> Tensor:
        """Which points may answer for which actions, before any conflict is settled.

        Args:
            points (PyramidPoints): R points.
            actions (Actions): G actions.

        Returns:
            Tensor: (R, G) bool: in the action's video and sampled zone, on a level with its range.
        """
        segments = actions.segments
        to_boundary = boundary_distances(points, segments)  # (R, G, 2)
        if self.radius is None:
            inside = to_boundary.amin(-1) > 0
        else:
            centre = segments.mean(-1)
            reach = points.stride[:, None] * self.radius
            starts = torch.maximum(centre - reach, segments[:, 0])  # (R, G)
            ends = torch.minimum(centre + reach, segments[:, 1])
            time = points.time[:, None]
            inside = (time > starts) & (time < ends)
        farthest = to_boundary.amax(-1)
        return (inside & (farthest >= points.low[:, None]) & (farthest <= points.high[:, None])
                & same_video(points, actions))


def same_video(points: PyramidPoints, actions: Actions) -> Tensor:
    """Which points are of which actions' videos, (R, G) bool."""
    return points.valid[:, None] & (points.video[:, None] == actions.video)
