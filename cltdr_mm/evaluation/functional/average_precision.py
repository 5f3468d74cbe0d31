"""Interpolated average precision in the style of ActivityNet's evaluator.

Source: Caba Heilbron et al., ActivityNet, CVPR 2015, and its evaluation code's definition: the
precision at a recall is the largest precision at any recall that is not smaller, and the AP sums
it over the steps of the recall.
"""
from collections.abc import Sequence

import numpy as np

from ..structures import Detections, GroundTruth
from .matching import match, ranking


def interpolated_ap(true_positives: np.ndarray, num_instances: float) -> np.ndarray:
    """AP of one class at several thresholds.

    Args:
        true_positives (np.ndarray): (T, D) bool, detections by descending score.
        num_instances (float): Instances of the class, positive.

    Returns:
        np.ndarray: (T,) in [0, 1].
    """
    if true_positives.shape[1] == 0:
        return np.zeros(len(true_positives))
    hits = np.cumsum(true_positives, axis=1, dtype=np.float64)
    precision = hits / np.arange(1, true_positives.shape[1] + 1)
    precision = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    # The recall rises by one instance exactly where there is a true positive.
    return (precision * true_positives).sum(axis=1) / num_instances


def average_precision(detections: Detections,
                      ground_truth: GroundTruth,
                      tious: Sequence[float],
                      tie_order: str = 'stable') -> np.ndarray:
    """AP of every class at every threshold.

    Args:
        detections (Detections): D detections. Those of videos outside the subset count as false
            positives, as in the published evaluators.
        ground_truth (GroundTruth): What is to be found.
        tious (Sequence[float]): T thresholds, positive.
        tie_order (str): See :func:`.ranking`. Defaults to ``'stable'``.

    Returns:
        np.ndarray: (T, K) in [0, 1]; NaN for classes without instances, which the mean leaves
        out (``np.nanmean``).

    Raises:
        ValueError: If a threshold is not in (0, 1] or ``tie_order`` is unknown.
    """
    check_tious(tious)
    order = ranking(detections.scores, detections.labels, tie_order)
    ranked = detections.select(order)
    claimed = match(ranked.segments, ranked.videos, ranked.labels, ground_truth.segments,
                    ground_truth.videos, ground_truth.labels, tious)
    return ap_of_claims(claimed >= 0, ranked.labels, ground_truth)


def ap_of_claims(true_positives: np.ndarray, labels: np.ndarray,
                 ground_truth: GroundTruth) -> np.ndarray:
    """AP of every class from ranked detections that are already told true from false.

    Args:
        true_positives (np.ndarray): (T, D) bool, in the order of :func:`.ranking`.
        labels (np.ndarray): (D,) in that order.
        ground_truth (GroundTruth): For the number of instances.

    Returns:
        np.ndarray: (T, K), NaN for classes without instances.
    """
    num_classes = len(ground_truth.classes)
    instances = np.bincount(ground_truth.labels, minlength=num_classes)
    bounds = np.searchsorted(labels, np.arange(num_classes + 1))
    result = np.full((len(true_positives), num_classes), np.nan)
    for c in np.flatnonzero(instances):
        result[:, c] = interpolated_ap(true_positives[:, bounds[c]:bounds[c + 1]], instances[c])
    return result


def check_tious(tious: Sequence[float]) -> None:
    """Raise ValueError unless there are thresholds and all are in (0, 1]."""
    if len(tious) == 0 or not all(0 < t <= 1 for t in tious):
        raise ValueError(f'tIoU thresholds must be in (0, 1], got {list(tious)}')
