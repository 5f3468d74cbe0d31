"""Checks of candidate tensors, shared by the functions of this room."""
from typing import Optional

import torch
from torch import Tensor


def check_candidates(segments: Tensor,
                     scores: Tensor,
                     labels: Optional[Tensor] = None,
                     name: str = 'candidates') -> tuple[Tensor, Tensor, Optional[Tensor]]:
    """Check shapes and numbers of one video's candidates.

    Args:
        segments (Tensor): (M, 2) starts and ends.
        scores (Tensor): (M,).
        labels (Tensor, optional): (M,). Defaults to None.
        name (str): What to call them in the message, e.g. the video's name.

    Returns:
        tuple: The three tensors, detached; labels as int64.

    Raises:
        ValueError: If a shape is wrong, a number is NaN or infinite, a score is negative, or a
            segment ends before it starts.
    """
    if segments.ndim != 2 or segments.shape[1] != 2:
        raise ValueError(f'{name}: segments must be (M, 2), got {tuple(segments.shape)}')
    num = segments.shape[0]
    if scores.shape != (num, ):
        raise ValueError(f'{name}: scores must be ({num},), got {tuple(scores.shape)}')
    if labels is not None and labels.shape != (num, ):
        raise ValueError(f'{name}: labels must be ({num},), got {tuple(labels.shape)}')
    segments, scores = segments.detach(), scores.detach()
    labels = None if labels is None else labels.detach().long()
    if num == 0:
        return segments, scores, labels
    # One number tells of every NaN and infinity: both survive a sum of absolute values.
    if not bool(torch.isfinite(segments.double().abs().sum() + scores.double().abs().sum())):
        bad = ~(torch.isfinite(segments).all(dim=1) & torch.isfinite(scores))
        first = int(bad.nonzero()[0])
        raise ValueError(
            f'{name}: {int(bad.sum())} of {num} candidates hold NaN or infinite values, the first '
            f'is number {first} with segment {segments[first].tolist()} and score '
            f'{scores[first].item()}')
    if bool((scores < 0).any()):
        first = int((scores < 0).nonzero()[0])
        raise ValueError(f'{name}: scores must not be negative, number {first} has '
                         f'{scores[first].item()}')
    if bool((segments[:, 1] < segments[:, 0]).any()):
        first = int((segments[:, 1] < segments[:, 0]).nonzero()[0])
        raise ValueError(f'{name}: segment number {first} ends before it starts: '
                         f'{segments[first].tolist()}')
    return segments, scores, labels
