"""Which detection claims which instance (ActivityNet's greedy rule), for all classes at once.

Per class and tIoU threshold, detections are taken by descending score; each claims, among the
instances of its class in its video that no earlier one claimed, the one it overlaps most, provided
that their tIoU reaches the threshold. Classes and videos do not affect each other, so detection
number r of every (video, class) pair is settled at the same time, at every threshold.
"""
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

PAIRS_AT_ONCE = 4_000_000
TIE_ORDERS = ('published', 'stable')


def pair_iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Temporal IoU pair by pair: (N, 2) and (N, 2) to (N,); 0 where both are empty."""
    inter = np.minimum(a[:, 1], b[:, 1]) - np.maximum(a[:, 0], b[:, 0])
    inter = np.maximum(inter, 0)
    union = (a[:, 1] - a[:, 0]) + (b[:, 1] - b[:, 0]) - inter
    return np.divide(inter, union, out=np.zeros_like(inter), where=union > 0)


def ranking(scores: np.ndarray, labels: np.ndarray, tie_order: str = 'stable') -> np.ndarray:
    """Order of detections by class, then by descending score.

    Args:
        scores (np.ndarray): (D,) float64.
        labels (np.ndarray): (D,) int64.
        tie_order (str): What comes first among equal scores of a class. ``'stable'``: the one
            given first, on any machine. ``'published'``: what ``argsort()[::-1]`` of NumPy yields,
            as in the published evaluators; it differs between CPUs (NumPy's sort of equal values
            uses vector instructions where there are any). Defaults to ``'stable'``.

    Returns:
        np.ndarray: (D,) int64 positions.

    Raises:
        ValueError: If ``tie_order`` is unknown.
    """
    if tie_order not in TIE_ORDERS:
        raise ValueError(f'tie_order must be one of {TIE_ORDERS}, got {tie_order!r}')
    order = np.argsort(labels, kind='stable')
    bounds = np.flatnonzero(np.diff(labels[order])) + 1
    parts = []
    for members in np.split(order, bounds) if len(order) else []:
        if tie_order == 'published':
            parts.append(members[np.argsort(scores[members])[::-1]])
        else:
            parts.append(members[np.argsort(-scores[members], kind='stable')])
    return np.concatenate(parts) if parts else order


@dataclass
class Groups:
    """Instances sorted by (video, class), and to which such group each detection belongs.

    Args:
        order (np.ndarray): (G,) positions of instances, by group.
        starts (np.ndarray): (N,) where each group begins in ``order``.
        counts (np.ndarray): (N,) instances per group.
        of_detection (np.ndarray): (D,) group of each detection, -1 where its video has no
            instance of its class.
    """

    order: np.ndarray
    starts: np.ndarray
    counts: np.ndarray
    of_detection: np.ndarray


def group_instances(gt_videos: np.ndarray, gt_labels: np.ndarray, videos: np.ndarray,
                    labels: np.ndarray) -> Groups:
    """Find, for each detection, the instances it may claim.

    Args:
        gt_videos (np.ndarray): (G,).
        gt_labels (np.ndarray): (G,).
        videos (np.ndarray): (D,).
        labels (np.ndarray): (D,).

    Returns:
        Groups: See there.
    """
    span = int(max(gt_labels.max(initial=0), labels.max(initial=0))) + 1
    gt_keys = gt_videos * span + gt_labels
    keys = videos * span + labels
    order = np.argsort(gt_keys, kind='stable')
    unique, starts, counts = np.unique(gt_keys[order], return_index=True, return_counts=True)
    if len(unique) == 0:
        return Groups(order, starts, counts, np.full(len(keys), -1, dtype=np.int64))
    place = np.minimum(np.searchsorted(unique, keys), len(unique) - 1)
    return Groups(order, starts, counts, np.where(unique[place] == keys, place, -1))


def overlapping_pairs(groups: Groups, segments: np.ndarray, gt_segments: np.ndarray,
                      min_iou: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All pairs of a detection and an instance of its group that overlap enough.

    Args:
        groups (Groups): From :func:`group_instances`.
        segments (np.ndarray): (D, 2).
        gt_segments (np.ndarray): (G, 2).
        min_iou (float): Smallest tIoU of a pair.

    Returns:
        tuple[np.ndarray, np.ndarray, np.ndarray]: detection (P,), instance (P,), tIoU (P,),
        by ascending detection.
    """
    candidates = np.flatnonzero(groups.of_detection >= 0)
    counts = groups.counts[groups.of_detection[candidates]]
    block = np.cumsum(counts) // PAIRS_AT_ONCE
    parts = []
    for members in np.split(np.arange(len(candidates)), np.flatnonzero(np.diff(block)) + 1):
        number = counts[members]
        detection = np.repeat(candidates[members], number)
        # 0, 1, ... within each detection's run of pairs
        within = np.arange(len(detection)) - np.repeat(np.cumsum(number) - number, number)
        instance = groups.order[groups.starts[groups.of_detection[detection]] + within]
        iou = pair_iou(segments[detection], gt_segments[instance])
        near = iou >= min_iou
        parts.append((detection[near], instance[near], iou[near]))
    return tuple(np.concatenate(columns) for columns in zip(*parts))


def match(segments: np.ndarray, videos: np.ndarray, labels: np.ndarray, gt_segments: np.ndarray,
          gt_videos: np.ndarray, gt_labels: np.ndarray, tious: Sequence[float]) -> np.ndarray:
    """Instance claimed by each detection, per threshold.

    Args:
        segments (np.ndarray): (D, 2) detections in the order of :func:`ranking`.
        videos (np.ndarray): (D,).
        labels (np.ndarray): (D,).
        gt_segments (np.ndarray): (G, 2).
        gt_videos (np.ndarray): (G,).
        gt_labels (np.ndarray): (G,).
        tious (Sequence[float]): T thresholds, positive.

    Returns:
        np.ndarray: (T, D) int64, position of the instance, -1 for a false positive.
    """
    thresholds = np.asarray(tious, dtype=np.float64)[:, None]
    claimed = np.full((len(thresholds), len(segments)), -1, dtype=np.int64)
    if len(segments) == 0 or len(gt_segments) == 0:
        return claimed
    groups = group_instances(gt_videos, gt_labels, videos, labels)
    detection, instance, iou = overlapping_pairs(groups, segments, gt_segments, thresholds.min())
    if len(detection) == 0:
        return claimed
    # Detections that overlap something, numbered 0, 1, ... within their group by score.
    active, first = np.unique(detection, return_index=True)
    rank = rank_in_group(groups.of_detection[active])
    # By rank; within a detection its best instance first, of equals the one annotated last.
    rank_of_pair = np.repeat(rank, np.diff(np.append(first, len(detection))))
    order = np.lexsort((-instance, -iou, detection, rank_of_pair))
    detection, instance, iou = detection[order], instance[order], iou[order]
    rounds = np.searchsorted(rank_of_pair[order], np.arange(rank.max() + 2))
    taken = np.zeros((len(thresholds), len(gt_segments)), dtype=bool)
    for begin, end in zip(rounds[:-1], rounds[1:]):
        now_detection, now_instance = detection[begin:end], instance[begin:end]
        free = (iou[begin:end] >= thresholds) & ~taken[:, now_instance]  # (T, pairs)
        starts = np.flatnonzero(np.diff(now_detection, prepend=-1))
        # Position of the first free pair of each detection; past the end where there is none.
        choice = np.minimum.reduceat(
            np.where(free, np.arange(end - begin), end - begin), starts, axis=1)
        t, column = np.nonzero(choice < end - begin)
        chosen = now_instance[choice[t, column]]
        claimed[t, now_detection[starts[column]]] = chosen
        taken[t, chosen] = True
    return claimed


def rank_in_group(groups: np.ndarray) -> np.ndarray:
    """Number of earlier entries of the same group: (N,) to (N,)."""
    order = np.argsort(groups, kind='stable')
    sorted_groups = groups[order]
    begins = np.flatnonzero(np.diff(sorted_groups, prepend=sorted_groups[:1] - 1))
    lengths = np.diff(np.append(begins, len(groups)))
    rank = np.empty(len(groups), dtype=np.int64)
    rank[order] = np.arange(len(groups)) - np.repeat(begins, lengths)
    return rank
