"""Recall of the best detections: per class (recall@kx) and of class-agnostic proposals (AR@AN)."""
from collections.abc import Sequence
from typing import Optional

import numpy as np

from ..structures import Detections, GroundTruth
from .average_precision import check_tious
from .matching import group_instances, overlapping_pairs, rank_in_group, ranking

RECALL_AVERAGES = ('macro', 'micro')


def recall_at_kx(detections: Detections,
                 ground_truth: GroundTruth,
                 tious: Sequence[float],
                 ks: Sequence[int] = (1, 5),
                 tie_order: str = 'stable',
                 average: Optional[str] = None) -> np.ndarray:
    """Recall@kx of every class, or its average by one of the two definitions in use.

    Of each (video, class) pair with n instances, the k * n best detections of that class count;
    an instance is found when one of them reaches the threshold with it (one detection may find
    several).

    ``'macro'`` is the mean over classes that have instances, as ActionFormer's and OpenTAD's
    evaluators report it. ``'micro'`` is the share of all instances that are found, as Ego4D's
    official evaluation of moment queries defines it; there, an instance is found only by a tIoU
    that exceeds the threshold.

    Args:
        detections (Detections): D detections.
        ground_truth (GroundTruth): What is to be found.
        tious (Sequence[float]): T thresholds.
        ks (Sequence[int]): Multiples of the number of instances. Defaults to ``(1, 5)``.
        tie_order (str): See :func:`.ranking`. Defaults to ``'stable'``.
        average (str, optional): ``'macro'`` or ``'micro'``. Defaults to None: every class.

    Returns:
        np.ndarray: (len(ks), T, K) in [0, 1]; NaN for classes without instances. With ``average``
        (len(ks), T); NaN where there is no instance at all.

    Raises:
        ValueError: If a threshold is not in (0, 1], or ``average`` or ``tie_order`` is unknown.
    """
    check_tious(tious)
    if average not in (None, *RECALL_AVERAGES):
        raise ValueError(f'average must be None or one of {RECALL_AVERAGES}, got {average!r}')
    num_classes = len(ground_truth.classes)
    ranked = detections.select(ranking(detections.scores, detections.labels, tie_order))
    groups = group_instances(ground_truth.videos, ground_truth.labels, ranked.videos,
                             ranked.labels)
    best = np.zeros((len(ks), len(ground_truth.labels)))  # largest tIoU with each instance
    if (groups.of_detection >= 0).any():
        rank = rank_in_group(groups.of_detection)
        detection, instance, iou = overlapping_pairs(groups, ranked.segments,
                                                     ground_truth.segments, min(tious))
        allowed = rank[detection] / groups.counts[groups.of_detection[detection]]
        for i, k in enumerate(ks):
            near = allowed < k
            np.maximum.at(best[i], instance[near], iou[near])
    reached = np.greater if average == 'micro' else np.greater_equal
    counts = np.array([[np.bincount(ground_truth.labels[reached(row, tiou)], minlength=num_classes)
                        for tiou in tious] for row in best], dtype=np.float64)  # (k, T, K)
    instances = np.bincount(ground_truth.labels, minlength=num_classes)
    if average == 'micro':
        return counts.sum(axis=2) / (instances.sum() or np.nan)
    recall = counts / np.where(instances, instances, np.nan)
    if average is None:
        return recall
    return recall[..., instances > 0].sum(axis=2) / (np.count_nonzero(instances) or np.nan)


def average_recall(detections: Detections,
                   ground_truth: GroundTruth,
                   tious: Sequence[float],
                   max_average: int = 100) -> tuple[np.ndarray, np.ndarray, float]:
    """AR@AN: recall of proposals whatever their label, by their average number per video.

    As ActivityNet's proposal task defines it: to reach an average number of a proposals, each
    video gives its best ones in proportion to how many it has.

    Args:
        detections (Detections): Proposals; labels and videos outside the subset are ignored.
        ground_truth (GroundTruth): What is to be found, labels ignored.
        tious (Sequence[float]): T thresholds.
        max_average (int): Largest average number. Defaults to 100.

    Returns:
        tuple[np.ndarray, np.ndarray, float]: recall (T, max_average) at each average number, the
        average numbers 1 to ``max_average``, and the area under the curve of the mean recall in
        percent of ``max_average``. Where videos have fewer proposals than asked for, the recall
        stays at what all of them reach.
    """
    check_tious(tious)
    num_videos = len(ground_truth.video_names)
    inside = detections.select(detections.videos < num_videos)
    per_video = np.bincount(inside.videos, minlength=num_videos)
    recall = np.zeros((len(tious), max_average))
    steps = np.arange(1, max_average + 1)
    if len(inside) == 0 or len(ground_truth.labels) == 0:
        return recall, steps, 0.
    order = np.lexsort((-inside.scores, inside.videos))
    ranked = inside.select(order)
    zeros = np.zeros_like
    groups = group_instances(ground_truth.videos, zeros(ground_truth.labels), ranked.videos,
                             zeros(ranked.labels))
    detection, instance, iou = overlapping_pairs(groups, ranked.segments, ground_truth.segments,
                                                 min(tious))
    rank = rank_in_group(ranked.videos)[detection]
    # (V, max_average) proposals used, rounded down; in integers, so that 3 of 3 are not 2.999
    used = np.minimum(per_video[:, None] * steps * num_videos // len(inside), per_video[:, None])
    for j, tiou in enumerate(tious):
        # Rank of the first proposal that finds an instance: found once more than that are used.
        needed = np.full(len(ground_truth.labels), np.iinfo(np.int64).max)
        near = iou >= tiou
        np.minimum.at(needed, instance[near], rank[near])
        recall[j] = (needed[:, None] < used[ground_truth.videos]).mean(axis=0)
    mean = recall.mean(axis=0)
    area = (mean[1:] + mean[:-1]).sum() / 2
    return recall, steps, float(100 * area / max_average)
