"""Segment algebra: pure tensor functions on (start, end) pairs, whatever their unit."""
import torch
from torch import Tensor


def segment_lengths(segments: Tensor) -> Tensor:
    """Lengths (...,) of segments (..., 2); 0 for one whose end precedes its start."""
    return (segments[..., 1] - segments[..., 0]).clamp(min=0)


def aligned_segment_iou(a: Tensor, b: Tensor) -> Tensor:
    """Temporal IoU of segments taken pair by pair.

    Args:
        a (Tensor): (..., 2) starts and ends.
        b (Tensor): (..., 2), broadcastable with ``a``.

    Returns:
        Tensor: (...,) in [0, 1]; two empty segments have IoU 0.
    """
    starts = torch.maximum(a[..., 0], b[..., 0])
    ends = torch.minimum(a[..., 1], b[..., 1])
    intersection = (ends - starts).clamp(min=0)
    union = segment_lengths(a) + segment_lengths(b) - intersection
    return intersection / union.clamp(min=1e-8)


def segment_iou(a: Tensor, b: Tensor) -> Tensor:
    """Temporal IoU (N, M) of every segment of ``a`` (N, 2) with every segment of ``b`` (M, 2)."""
    return aligned_segment_iou(a[:, None], b[None, :])


def clip_segments(segments: Tensor, low: float, high: float) -> Tensor:
    """Clip starts and ends of segments (..., 2) to ``[low, high]``, in a new tensor."""
    return segments.clamp(min=low, max=high)
