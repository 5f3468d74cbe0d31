"""Soft-NMS in plain torch, on any device: every round keeps the best candidate of every class."""
from typing import Optional

import torch
from torch import Tensor

METHODS = {'hard': 0, 'linear': 1, 'gaussian': 2, 'bsn': 3}
LENGTH_EPS = 1e-6  # as in the compiled kernels
# Rounds between two looks at whether enough is kept; each look waits for the device.
ROUNDS_PER_CHECK = 8


def torch_soft_nms(segments: Tensor, scores: Tensor, labels: Optional[Tensor], method: int,
                   sigma: float, iou_threshold: float, high_threshold: float, min_score: float,
                   max_num: int) -> tuple[Tensor, Tensor]:
    """Soft-NMS of all classes side by side.

    Candidates of different classes do not affect each other, so one round can keep one of each
    class. Rounds end when no candidate is left, or when ``max_num`` kept ones are better than
    every candidate left: later rounds could then add nothing to the result.

    Args:
        segments (Tensor): (M, 2).
        scores (Tensor): (M,), not negative.
        labels (Tensor, optional): (M,) int64.
        method (int): One of :data:`METHODS`.
        sigma (float): Width of the Gaussian.
        iou_threshold (float): From which IoU 'hard' and 'linear' act; of 'bsn' the lower limit.
        high_threshold (float): Of 'bsn' the limit beside a kept segment of length 1.
        min_score (float): Candidates that fall below are dropped, but for a class's best.
        max_num (int): Largest number to keep, positive.

    Returns:
        tuple[Tensor, Tensor]: kept (N,) int64 and scores (N,) float64, best first.
    """
    device = scores.device
    if labels is None:
        num_classes = 1
        classes = torch.zeros_like(scores, dtype=torch.int64)
    else:
        values, classes = torch.unique(labels, sorted=True, return_inverse=True)
        num_classes = values.numel()
    index = torch.arange(scores.numel(), device=device)
    starts, ends = segments.double().unbind(dim=1)
    scores = scores.double()
    kept_index, kept_scores = [], []
    while scores.numel():
        for _ in range(ROUNDS_PER_CHECK):
            num = scores.numel()
            # (K,) best score of each class and where it first occurs; -1 and num: class used up.
            best = scores.new_full((num_classes, ), -1.).scatter_reduce(0, classes, scores, 'amax')
            position = torch.arange(num, device=device)
            at_best = (scores == best[classes]) & (scores >= 0)
            first = torch.full_like(best, num, dtype=torch.int64).scatter_reduce(
                0, classes, torch.where(at_best, position, num), 'amin')
            chosen = first.clamp(max=num - 1)
            kept_index.append(torch.where(first < num, index[chosen], -1))
            kept_scores.append(torch.where(first < num, best, -1.))
            scores = torch.where(position == first[classes], -1., scores)
            # (M,) the candidate just kept, as each candidate of its class sees it
            start, end = starts[chosen][classes], ends[chosen][classes]
            inter = torch.minimum(ends, end) - torch.maximum(starts, start)
            if method == METHODS['bsn']:
                limit = iou_threshold + (high_threshold - iou_threshold) * (end - start)
                union = end - start - inter.clamp(min=0) + ends - starts
                decayed = _decayed_above(scores, inter, union, limit, sigma)
            else:
                length = (end - start + LENGTH_EPS) + (ends - starts + LENGTH_EPS)
                decayed = _decayed(scores, inter, length, method, sigma, iou_threshold)
            # Dropped ones and kept ones have score -1; a class that is used up changes nothing.
            scores = torch.where(decayed < max(min_score, 0.), -1., decayed)
        alive = scores >= 0
        if not bool(alive.any()):
            break
        so_far = torch.cat(kept_scores)
        if int((so_far > scores.max()).sum()) >= max_num:
            break
        if int(alive.sum()) * 2 < scores.numel():
            starts, ends, scores = starts[alive], ends[alive], scores[alive]
            classes, index = classes[alive], index[alive]
    kept, values = torch.cat(kept_index), torch.cat(kept_scores)
    return _best_first(kept[kept >= 0], values[kept >= 0], labels, max_num)


def _decayed(scores: Tensor, inter: Tensor, length: Tensor, method: int, sigma: float,
             iou_threshold: float) -> Tensor:
    """(M,) scores beside kept candidates, from overlaps and sums of both lengths; -1: dropped."""
    iou = inter.clamp(min=0) / (length - inter.clamp(min=0))
    if method == METHODS['gaussian']:
        return scores * torch.exp(-(iou * iou) / sigma)
    if method == METHODS['linear']:
        return torch.where(iou >= iou_threshold, scores * (1 - iou), scores)
    return torch.where((iou >= iou_threshold) & (inter > 0), -1., scores)


def _decayed_above(scores: Tensor, inter: Tensor, union: Tensor, limit: Tensor,
                   sigma: float) -> Tensor:
    """(M,) scores beside kept candidates, lowered where the IoU exceeds a limit."""
    iou = torch.where(inter > 0, inter / union, 0.)  # of two empty segments 0 / 0
    return torch.where(iou > limit, scores * torch.exp(-(iou * iou) / sigma), scores)


def _best_first(kept: Tensor, values: Tensor, labels: Optional[Tensor],
                max_num: int) -> tuple[Tensor, Tensor]:
    # Equal scores: smaller label, then smaller index; kept rounds run through the classes in order,
    # so sort by index, then label, then score, each sort keeping the order of the last.
    order = torch.argsort(kept)
    if labels is not None:
        order = order[torch.argsort(labels[kept[order]], stable=True)]
    order = order[torch.argsort(values[order], descending=True, stable=True)][:max_num]
    return kept[order], values[order]
