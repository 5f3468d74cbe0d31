"""Segment voting as a registered part."""
from typing import Optional

from mmaction.registry import TASK_UTILS
from torch import Tensor

from .functional import segment_voting


@TASK_UTILS.register_module()
class SegmentVoting:
    """Boundaries of what NMS left become a mean over the candidates that agree.

    See :func:`.segment_voting`. The published code votes after class-agnostic NMS only (its
    setting is ignored under class-wise NMS), so a config that follows it sets no voting there.

    Args:
        iou_threshold (float): Smallest IoU of a candidate that votes. Defaults to 0.75.
        class_wise (bool): Whether only candidates of the segment's class vote. Defaults to
            True.

    Raises:
        ValueError: If the threshold is not in (0, 1].
    """

    def __init__(self, iou_threshold: float = 0.75, class_wise: bool = True):
        if not 0 < iou_threshold <= 1:
            raise ValueError(
                f'SegmentVoting: iou_threshold must be in (0, 1], got {iou_threshold}')
        self.iou_threshold = iou_threshold
        self.class_wise = class_wise

    def __call__(self, kept_segments: Tensor, segments: Tensor, scores: Tensor,
                 kept_labels: Optional[Tensor], labels: Optional[Tensor]) -> Tensor:
        """Refined segments (N, 2); arguments as of :func:`.segment_voting`."""
        if not self.class_wise:
            kept_labels = labels = None
        return segment_voting(kept_segments, segments, scores, kept_labels, labels,
                              self.iou_threshold)
