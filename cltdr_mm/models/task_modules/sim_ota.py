"""SimOTA in one dimension: predictions say which action a point answers for.

Source: YOLOX (Ge et al., 2021, sec. 2.1), as TemporalMaxer (2023) trains with.
"""
from collections.abc import Callable
from typing import Optional

import torch
from mmaction.registry import TASK_UTILS
from torch import Tensor

from ..losses import DIoU1DLoss, TALFocalLoss, distance_iou
from .center_sampling import (
    Assignment,
    CenterSamplingAssigner,
    assignment_of,
    boundary_distances,
    same_video,
)
from .points import Actions, Pairs, PyramidPoints


@TASK_UTILS.register_module()
class SimOTAAssigner1D:
    """Centre sampling says which points are positive, a matching cost for which action.

    The cost of a point and an action around it is ``cls_weight`` times the focal loss of the
    point's scores towards the action's class plus ``iou_weight`` times the DIoU loss of its
    segment. A sampled point regresses the cheapest action around it. The published
    implementation leaves the classes to centre sampling and keeps all sampled points; with
    ``topk`` each action keeps only its k cheapest sampled points, k being the sum of its ``topk``
    largest IoUs (at least 1), and a point takes the class of the one action it is left with.

    Args:
        radius (float): Half width of the sampled zone in strides. Defaults to 1.5.
        iou_weight (float): Weight of the DIoU cost. Defaults to 2.0.
        cls_weight (float): Weight of the focal cost. Defaults to 1.0.
        topk (int, optional): See above. Defaults to None: all sampled points stay.
    """

    #: Whether :meth:`assign` needs the head's predictions.
    needs_predictions = True

    def __init__(self,
                 radius: float = 1.5,
                 iou_weight: float = 2.0,
                 cls_weight: float = 1.0,
                 topk: Optional[int] = None) -> None:
        if topk is not None and topk < 1:
            raise ValueError(f'SimOTAAssigner1D: topk must be positive, got {topk}')
        self.sampler = CenterSamplingAssigner(radius)
        self.iou_weight = iou_weight
        self.cls_weight = cls_weight
        self.topk = topk
        self.focal = TALFocalLoss()
        self.diou = DIoU1DLoss()

    @torch.no_grad()
    def assign(self, points: PyramidPoints, actions: Actions, logits: Tensor,
               decode: Callable[[Pairs], Tensor]) -> Assignment:
        """Assign the points of a batch to its actions.

        Args:
            points (PyramidPoints): R points.
            actions (Actions): G actions.
            logits (Tensor): (R, K).
            decode (Callable): Gives the predicted distances (N, 2) of pairs, in strides.

        Returns:
            Assignment: The positive pairs; none if there is no action.
        """
        sampled = self.sampler.assign(points, actions)
        if sampled.gt.numel() == 0:
            return sampled
        target = boundary_distances(points, actions.segments)  # (R, G, 2)
        around = (target.amin(-1) > 0) & same_video(points, actions)
        target = target / points.stride[:, None, None]
        # only points around an action cost anything: M of R * G
        row, gt = around.nonzero(as_tuple=True)
        predicted = decode(Pairs(row, actions.labels[gt]))  # (M, 2)
        cost = self.cost(logits.float(), row, actions.labels[gt], predicted, target[row, gt])
        matrix = torch.full_like(target[..., 0], float('inf'))  # (R, G)
        matrix[row, gt] = cost
        if self.topk is None:
            gt = matrix.argmin(dim=1)[sampled.pairs.row]
            return Assignment(sampled.pairs, target[sampled.pairs.row, gt], gt)
        iou = torch.zeros_like(matrix)
        iou[row, gt] = distance_iou(predicted, target[row, gt])
        return self.keep_cheapest(points, actions, matrix, iou)

    def cost(self, logits: Tensor, row: Tensor, label: Tensor, predicted: Tensor,
             target: Tensor) -> Tensor:
        """Matching cost of (point, action) pairs, (M,)."""
        # of a point's K losses only one differs between two classes
        as_background = self.focal(logits, torch.zeros_like(logits))  # (R, K)
        as_positive = self.focal(logits, torch.ones_like(logits))
        cls_cost = as_background.sum(1)[row] + (as_positive - as_background)[row, label]
        return self.cls_weight * cls_cost + self.iou_weight * self.diou(predicted, target)

    def keep_cheapest(self, points: PyramidPoints, actions: Actions, cost: Tensor,
                      iou: Tensor) -> Assignment:
        """Leave each action its k cheapest points, and each point its cheapest action.

        Args:
            points (PyramidPoints): R points.
            actions (Actions): G actions.
            cost (Tensor): (R, G), infinite where a point is not around an action.
            iou (Tensor): (R, G).

        Returns:
            Assignment: The positive pairs.
        """
        candidate = cost.isfinite() & self.sampler.candidates(points, actions)
        top = (iou * candidate).topk(min(self.topk, len(points)), dim=0).values.sum(0)
        keep = top.int().clamp(min=1)  # (G,)
        cost = cost.masked_fill(~candidate, float('inf'))
        rank = cost.argsort(dim=0, stable=True).argsort(dim=0)
        match = candidate & (rank < keep)
        winner = cost.masked_fill(~match, float('inf')).argmin(dim=1)
        positive = torch.zeros_like(match)
        matched = match.any(1)
        positive[matched, winner[matched]] = True
        return assignment_of(points, positive, winner, actions)
