"""Segment voting: the candidates around a kept segment say where it begins and ends."""
from typing import Optional

import torch
from torch import Tensor

from ...structures import segment_iou

PAIRS_AT_ONCE = 4_000_000  # pairs of kept and candidate held in memory, 32 MB in float64


def segment_voting(kept_segments: Tensor,
                   segments: Tensor,
                   scores: Tensor,
                   kept_labels: Optional[Tensor] = None,
                   labels: Optional[Tensor] = None,
                   iou_threshold: float = 0.75) -> Tensor:
    """Move the boundaries of kept segments to a mean over the candidates that agree with them.

    Each candidate whose IoU with a kept segment reaches the threshold votes for its own start and
    end with weight ``score * IoU``, the score being the one before NMS. Computed in float64.

    Args:
        kept_segments (Tensor): (N, 2) what NMS left.
        segments (Tensor): (M, 2) all candidates that went into NMS.
        scores (Tensor): (M,) their scores before NMS, not negative.
        kept_labels (Tensor, optional): (N,). With ``labels``, only candidates of the same label
            vote. Defaults to None.
        labels (Tensor, optional): (M,). Defaults to None.
        iou_threshold (float): Smallest IoU to vote, positive. Defaults to 0.75.

    Returns:
        Tensor: (N, 2) in the type of ``kept_segments``. A segment that nobody votes for, such as
        one of length zero, stays where it is.

    Raises:
        ValueError: If the threshold is not positive: every candidate would vote for every
            segment.
    """
    if not iou_threshold > 0:
        raise ValueError(f'segment_voting: iou_threshold must be positive, got {iou_threshold}')
    if len(kept_segments) == 0 or len(segments) == 0:
        return kept_segments.clone()
    kept = kept_segments.double()
    # Sorted by start, the candidates that can touch a block of kept segments are one slice.
    order = torch.argsort(segments[:, 0])
    candidates, weights = segments[order].double(), scores[order].double()
    candidate_labels = None if labels is None else labels[order]
    kept_order = torch.argsort(kept[:, 0])
    starts = candidates[:, 0].contiguous()
    longest = (candidates[:, 1] - candidates[:, 0]).max()
    block = max(1, PAIRS_AT_ONCE // len(candidates))
    refined = kept.clone()
    for rows in kept_order.split(block):
        first = int(torch.searchsorted(starts, kept[rows, 0].min() - longest))
        last = int(torch.searchsorted(starts, kept[rows, 1].max(), right=True))
        voters = candidates[first:last]
        if len(voters) == 0:
            continue
        iou = segment_iou(kept[rows], voters)  # (rows, voters)
        vote = torch.where(iou >= iou_threshold, iou * weights[first:last], 0.)
        if kept_labels is not None and candidate_labels is not None:
            vote = vote * (kept_labels[rows][:, None] == candidate_labels[first:last][None])
        total = vote.sum(dim=1, keepdim=True)
        mean = vote @ voters / total.clamp(min=torch.finfo(total.dtype).tiny)
        refined[rows] = torch.where(total > 0, mean, kept[rows])
    return refined.to(kept_segments)
