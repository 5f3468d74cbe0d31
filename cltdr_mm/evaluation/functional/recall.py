"""Recall of the best detections: per class (recall@kx) and of class-agnostic proposals (AR@AN)."""
from collections.abc import Sequence

import numpy as np

from ..structures import Detections, GroundTruth
from .average_precision import check_tious
from .matching import group_instances, overlapping_pairs, rank_in_group, ranking


def recall_at_kx(detections: Detections,
                 ground_truth: GroundTruth,
                 tious: Sequence[float],
                 ks: Sequence[int] = (1, 5),
                 tie_order: str = 'stable') -> np.ndarray:
    """Recall@kx of every class, as ActionFormer's evaluator reports it.

    Of each (video, class) pair with n instances, the k * n best detections of that class count;
    an instance is found when one of them reaches the threshold with it (one detection may find
    several).

    Args:
        detections (Detections): D detections.
        ground_truth (GroundTruth): What is to be found.
        tious (Sequence[float]): T thresholds.
        ks (Sequence[int]): Multiples of the number of instances. Defaults to ``(1, 5)``.
        tie_order (str): See :func:`.ranking`. Defaults to ``'stable'``.

    Returns:
        np.ndarray: (len(ks), T, K) in [0, 1]; NaN for classes without instances.
    """
    check_tious(tious)
    num_classes = len(ground_truth.classes)
    ranked = detections.select(ranking(detections.scores, detections.labels, tie_order))
    groups = group_instances(ground_truth.videos, ground_truth.labels, ranked.videos,
                             ranked.labels)
    instances = np.bincount(ground_truth.labels, minlength=num_classes).astype(np.float64)
    instances[instances == 0] = np.nan
    result = np.zeros((len(ks), len(tious), num_classes)) * instances
    if not (groups.of_detection >= 0).any():
        return result
    rank = rank_in_group(groups.of_detection)
    detection, instance, iou = overlapping_pairs(groups, ranked.segments, ground_truth.segments,
                                                 min(tious))
    allowed = rank[detection] / groups.counts[groups.of_detection[detection]]
    for i, k in enumerate(ks):
        best = np.zeros(len(ground_truth.labels))
        near = allowed < k
        np.maximum.at(best, instance[near], iou[near])
        for j, tiou in enumerate(tious):
            found = np.bincount(ground_truth.labels[best >= tiou], minlength=num_classes)
            result[i, j] = found / instances
    return result


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
