"""Segment algebra: pure tensor functions on (start, end) pairs, whatever their unit."""
import torch
from torch import Tensor


def segment_lengths(segments: Tensor) -> Tensor:
    """Lengths of segments.

    Args:
        segments (Tensor): (..., 2) starts and ends.

    Returns:
        Tensor: (...,), never negative: a segment whose end precedes its start is empty.
    """
    return (segments[..., 1] - segments[..., 0]).clamp(min=0)


def aligned_segment_iou(a: Tensor, b: Tensor, eps: float = 1e-8) -> Tensor:
    """Temporal IoU of segments taken pair by pair.

    Args:
        a (Tensor): (..., 2) starts and ends.
        b (Tensor): (..., 2), broadcastable with ``a``.
        eps (float): Smallest union to divide by; two empty segments have IoU 0.
            Defaults to 1e-8.

    Returns:
        Tensor: (...,) in [0, 1].
    """
    starts = torch.maximum(a[..., 0], b[..., 0])
    ends = torch.minimum(a[..., 1], b[..., 1])
    intersection = (ends - starts).clamp(min=0)
    union = segment_lengths(a) + segment_lengths(b) - intersection
    return intersection / union.clamp(min=eps)


def segment_iou(a: Tensor, b: Tensor, eps: float = 1e-8) -> Tensor:
    """Temporal IoU of every segment of one set with every segment of another.

    Args:
        a (Tensor): (N, 2) starts and ends.
        b (Tensor): (M, 2) starts and ends.
        eps (float): See :func:`aligned_segment_iou`. Defaults to 1e-8.

    Returns:
        Tensor: (N, M) in [0, 1].
    """
    return aligned_segment_iou(a[:, None], b[None, :], eps)


def clip_segments(segments: Tensor, low: float, high: float) -> Tensor:
    """Clip starts and ends to ``[low, high]``.

    Args:
        segments (Tensor): (..., 2) starts and ends.
        low (float): Smallest position allowed, in the segments' unit.
        high (float): Largest position allowed, in the segments' unit.

    Returns:
        Tensor: A new tensor of the same shape.
    """
    return segments.clamp(min=low, max=high)
