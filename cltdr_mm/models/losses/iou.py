"""IoU losses between segments that are given as distances to one point.

IoU: Yu et al., ACM MM 2016; GIoU: Rezatofighi et al., CVPR 2019, eq. 4; DIoU: Zheng et al.,
AAAI 2020, eq. 7, each in one dimension. Distances (left, right) from a common point say the same
as (start, end), and lose no precision late in a long video.
"""
import torch
from mmaction.registry import MODELS
from torch import Tensor, nn


def _overlap(pred: Tensor, target: Tensor):
    """Signed overlap, union and hull of segments around a common point, each (...,)."""
    shared = torch.minimum(pred, target).sum(-1)
    overlap = shared.clamp(min=0)
    union = pred.sum(-1) + target.sum(-1) - overlap
    hull = torch.maximum(pred, target).sum(-1)
    return overlap, union, hull


def distance_iou(pred: Tensor, target: Tensor, eps: float = 1e-8) -> Tensor:
    """Temporal IoU of two segments given as distances to a common point.

    Args:
        pred (Tensor): (..., 2) distances to start and end, in any unit.
        target (Tensor): (..., 2).
        eps (float): Smallest union to divide by. Defaults to 1e-8.

    Returns:
        Tensor: (...,) in [0, 1].
    """
    overlap, union, _ = _overlap(pred, target)
    return overlap / union.clamp(min=eps)


class _SegmentLoss(nn.Module):
    """What the three losses share: one loss a pair, in float32, never summed here.

    Args:
        eps (float): Smallest length to divide by. Defaults to 1e-8.
    """

    def __init__(self, eps: float = 1e-8) -> None:
        super().__init__()
        self.eps = eps

    def forward(self, pred: Tensor, target: Tensor) -> Tensor:
        """Compute the losses.

        Args:
            pred (Tensor): (N, 2) distances to start and end, at least 0.
            target (Tensor): (N, 2), in the unit of ``pred``.

        Returns:
            Tensor: (N,) losses, 0 where both segments agree.
        """
        return self.penalty(pred.float(), target.float())

    def penalty(self, pred: Tensor, target: Tensor) -> Tensor:
        """The loss of each pair, (N,)."""
        raise NotImplementedError


@MODELS.register_module()
class IoU1DLoss(_SegmentLoss):
    """``1 - IoU``."""

    def penalty(self, pred: Tensor, target: Tensor) -> Tensor:
        """The loss of each pair, (N,) in [0, 1]."""
        return 1 - distance_iou(pred, target, self.eps)


@MODELS.register_module()
class GIoU1DLoss(_SegmentLoss):
    """``1 - IoU + (hull - union) / hull``; equals IoU loss where the segments meet."""

    def penalty(self, pred: Tensor, target: Tensor) -> Tensor:
        """The loss of each pair, (N,) in [0, 2]."""
        overlap, union, hull = _overlap(pred, target)
        iou = overlap / union.clamp(min=self.eps)
        return 1 - iou + (hull - union) / hull.clamp(min=self.eps)


@MODELS.register_module()
class DIoU1DLoss(_SegmentLoss):
    """``1 - IoU + (distance of the centres / hull) ** 2``."""

    def penalty(self, pred: Tensor, target: Tensor) -> Tensor:
        """The loss of each pair, (N,) in [0, 2]."""
        overlap, union, hull = _overlap(pred, target)
        iou = overlap / union.clamp(min=self.eps)
        shift = 0.5 * ((pred[..., 1] - pred[..., 0]) - (target[..., 1] - target[..., 0]))
        return 1 - iou + (shift / hull.clamp(min=self.eps)).square()
