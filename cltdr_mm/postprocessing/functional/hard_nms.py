"""Hard NMS of temporal segments: an overlapping candidate of a lower score goes."""
from typing import Optional

from torch import Tensor

from .soft_nms import soft_nms


def hard_nms(segments: Tensor,
             scores: Tensor,
             labels: Optional[Tensor] = None,
             iou_threshold: float = 0.5,
             min_score: float = 0.,
             max_num: int = -1,
             backend: str = 'auto') -> tuple[Tensor, Tensor]:
    """Keep the best candidates, without those that overlap a better one.

    Unlike soft-NMS, every candidate that does not exceed a positive ``min_score`` goes, the best
    of its label too (so does the published operator).

    Args:
        segments (Tensor): (M, 2) starts and ends in any unit.
        scores (Tensor): (M,), not negative.
        labels (Tensor, optional): (M,) integers; only candidates of one label suppress each
            other. Defaults to None: all do (class-agnostic).
        iou_threshold (float): IoU from which the lower score goes. Defaults to 0.5.
        min_score (float): Only larger scores take part, when positive. Defaults to 0.
        max_num (int): Largest number to keep; negative: no limit. Defaults to -1.
        backend (str): See :func:`.soft_nms`. Defaults to ``'auto'``.

    Returns:
        tuple[Tensor, Tensor]: indices of the kept candidates (N,) int64, best first, and their
        scores (N,), unchanged.

    Raises:
        ValueError: As :func:`.soft_nms`.
    """
    above = None
    if min_score > 0:
        above = (scores > min_score).nonzero().squeeze(1)
        segments, scores = segments[above], scores[above]
        labels = None if labels is None else labels[above]
    kept, kept_scores = soft_nms(
        segments,
        scores,
        labels,
        method='hard',
        iou_threshold=iou_threshold,
        min_score=0.,
        max_num=max_num,
        backend=backend)
    return (kept if above is None else above[kept]), kept_scores
