"""Precision, recall and F1 over the scores: where to cut detections off when they are used.

AP judges a ranking and needs no threshold; whoever uses detections keeps those from some score on.
"""
from dataclasses import dataclass

import numpy as np

from ..structures import Detections, GroundTruth
from .average_precision import check_tious
from .matching import match, ranking


@dataclass(frozen=True)
class Cut:
    """What is right among the detections from one score on.

    Args:
        threshold (float): Detections with this score or a higher one are kept.
        precision (float): Share of them that is right; 0 where none is kept.
        recall (float): Share of the instances that they find.
        f1 (float): Harmonic mean of both; 0 where both are 0.
        instances (int): Number of instances.
    """

    threshold: float
    precision: float
    recall: float
    f1: float
    instances: int


def best_f1(detections: Detections,
            ground_truth: GroundTruth,
            tiou: float = 0.5,
            tie_order: str = 'stable') -> tuple[Cut, dict[int, Cut]]:
    """Find the thresholds of best F1, of all classes together and of each.

    Detections claim instances as for AP; what a detection claims does not depend on those below
    it, so that one matching serves all thresholds. Classes without instances are left out, as the
    mean AP leaves them out; detections of videos outside the subset are false positives.

    Args:
        detections (Detections): D detections with finite scores.
        ground_truth (GroundTruth): What is to be found.
        tiou (float): Threshold of the matching. Defaults to 0.5.
        tie_order (str): See :func:`.ranking`. Defaults to ``'stable'``.

    Returns:
        tuple[Cut, dict[int, Cut]]: With one threshold for all classes (counts of all classes added
        up, "micro"); by position of the class, each with its own.

    Raises:
        ValueError: If ``tiou`` is not in (0, 1].
    """
    check_tious([tiou])
    kept = detections.select(ground_truth.present[detections.labels])
    ranked = kept.select(ranking(kept.scores, kept.labels, tie_order))
    right = match(ranked.segments, ranked.videos, ranked.labels, ground_truth.segments,
                  ground_truth.videos, ground_truth.labels, [tiou])[0] >= 0  # (D,)
    instances = np.bincount(ground_truth.labels, minlength=len(ground_truth.classes))
    bounds = np.searchsorted(ranked.labels, np.arange(len(instances) + 1))
    of_class = {
        int(c): best_cut(right[bounds[c]:bounds[c + 1]], ranked.scores[bounds[c]:bounds[c + 1]],
                         int(instances[c])) for c in np.flatnonzero(instances)
    }
    order = np.argsort(-ranked.scores, kind='stable')
    return best_cut(right[order], ranked.scores[order], int(instances.sum())), of_class


def best_cut(true_positives: np.ndarray, scores: np.ndarray, num_instances: int) -> Cut:
    """Find the score from which on detections have the best F1.

    Args:
        true_positives (np.ndarray): (D,) bool, by descending score.
        scores (np.ndarray): (D,), descending.
        num_instances (int): Instances that there are to find.

    Returns:
        Cut: At a score that occurs. Of several with the same F1 the highest, which keeps fewest.
        Where nothing is right no score is better than another: 0, with measures of 0.
    """
    if not true_positives.any():
        return Cut(0., 0., 0., 0., num_instances)
    # A threshold cannot part equal scores: only the last of them ends what is kept.
    ends = np.flatnonzero(np.append(scores[1:] != scores[:-1], True))
    hits = np.cumsum(true_positives)[ends]
    f1 = 2 * hits / (ends + 1 + num_instances)  # 2 TP / (2 TP + FP + FN)
    best = int(np.argmax(f1))  # the first of equals
    return Cut(
        threshold=float(scores[ends[best]]),
        precision=float(hits[best] / (ends[best] + 1)),
        recall=float(hits[best] / num_instances),
        f1=float(f1[best]),
        instances=num_instances)
