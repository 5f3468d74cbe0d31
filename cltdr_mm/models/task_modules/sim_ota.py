"""SimOTA in one dimension: predictions say which action a point answers for.

Source: YOLOX (Ge et al., 2021, sec. 2.1), as TemporalMaxer (2023) trains with.
"""
from typing import Optional

import torch
from mmaction.registry import TASK_UTILS
from torch import Tensor

from ..losses import DIoU1DLoss, TALFocalLoss, distance_iou
from .center_sampling import Assignment, CenterSamplingAssigner, assignment_of, boundary_distances
from .points import PyramidPoints


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
    def assign(self, points: PyramidPoints, segments: Tensor, labels: Tensor,
               predictions: tuple[Tensor, Tensor, Tensor]) -> Assignment:
        """Assign points to the actions of one video.

        Args:
            points (PyramidPoints): P points.
            segments (Tensor): (G, 2) in grid steps.
            labels (Tensor): (G,) int64.
            predictions (tuple[Tensor, Tensor, Tensor]): Logits (P, K), distances (P, G, 2) in
                strides for the class of each action, and validity (P,) bool.

        Returns:
            Assignment: The positive pairs; none if there is no action.
        """
        sampled = self.sampler.assign(points, segments, labels)
        if sampled.point.numel() == 0:
            return sampled
        logits, distances, valid = predictions
        aim = boundary_distances(points, segments)  # (P, G, 2)
        around = aim.amin(-1) > 0
        aim = aim / points.stride[:, None, None]
        # of a step's K terms only one differs between two classes
        as_background = self.focal(logits, torch.zeros_like(logits))  # (P, K)
        as_positive = self.focal(logits, torch.ones_like(logits))
        cls_cost = as_background.sum(1, keepdim=True) + (as_positive - as_background)[:, labels]
        cost = self.cls_weight * cls_cost + self.iou_weight * self.diou(distances, aim)
        cost = cost.masked_fill(~around, float('inf'))
        cheapest = cost.argmin(dim=1)
        if self.topk is None:
            gt = cheapest[sampled.point]
            return Assignment(sampled.point, sampled.label, aim[sampled.point, gt], gt)

        candidate = around & valid[:, None] & self.sampler.candidates(points, segments)
        iou = distance_iou(distances, aim) * candidate
        top = iou.topk(min(self.topk, len(points)), dim=0).values.sum(0)
        keep = top.int().clamp(min=1)  # (G,)
        cost = cost.masked_fill(~candidate, float('inf'))
        rank = cost.argsort(dim=0, stable=True).argsort(dim=0)
        match = candidate & (rank < keep)
        winner = cost.masked_fill(~match, float('inf')).argmin(dim=1)
        positive = torch.zeros_like(match)
        taken = match.any(1)
        positive[taken, winner[taken]] = True
        return assignment_of(points, positive, winner, segments, labels)
