"""Scores of candidates beside the tIoU that they have: does the best segment have the best score?

After figure 5 of CLTDR-GMG (AAAI 2025, supplement E.5), which draws the two for the candidates of
one video before NMS.
"""
from dataclasses import dataclass
from typing import Optional

import numpy as np

from ..structures import Detections, GroundTruth
from .matching import group_instances, overlapping_pairs, rank_in_group, ranking

#: Strongest candidates of each class that count as strong, in multiples of its instances.
STRONG = 10


@dataclass
class ScoreTIoU:
    """Candidates and instances, each with a score and a tIoU.

    Args:
        scores (np.ndarray): (D,) of the candidates.
        tious (np.ndarray): (D,) largest tIoU with an instance of the same class and video; 0 where
            none overlaps.
        strong (np.ndarray): (D,) bool, the :data:`STRONG` * G strongest of each class, G being
            its number of instances.
        instance_scores (np.ndarray): (G,) score of the strongest of the candidates that overlap
            this instance more than any other; 0 where there is none.
        instance_tious (np.ndarray): (G,) tIoU of that candidate; 0 where there is none.
        best_tious (np.ndarray): (G,) largest tIoU that any candidate has with it.
    """

    scores: np.ndarray
    tious: np.ndarray
    strong: np.ndarray
    instance_scores: np.ndarray
    instance_tious: np.ndarray
    best_tious: np.ndarray


def score_tiou(candidates: Detections, ground_truth: GroundTruth) -> ScoreTIoU:
    """Compare every candidate with the instances of its class in its video.

    Nothing is claimed: any number of candidates may have the same instance. Of equal overlaps the
    instance annotated last counts, of equal scores the candidate given first.

    Args:
        candidates (Detections): What a model found, before NMS. Those of videos outside the
            subset, or of classes without instances, overlap nothing.
        ground_truth (GroundTruth): What was to be found.

    Returns:
        ScoreTIoU: See there.

    Raises:
        ValueError: If there is nothing to be found.
    """
    ground_truth.check_not_empty()
    count, instances = len(candidates), len(ground_truth.labels)
    tious, best = np.zeros(count), np.zeros(instances)
    chosen = np.zeros((2, instances))
    groups = group_instances(ground_truth.videos, ground_truth.labels, candidates.videos,
                             candidates.labels)
    if (groups.of_detection >= 0).any():
        which, instance, iou = overlapping_pairs(groups, candidates.segments, ground_truth.segments,
                                                 np.finfo(np.float64).tiny)
        np.maximum.at(best, instance, iou)
        # of each candidate the pair of its largest tIoU
        first = _firsts(which, np.lexsort((-instance, -iou)))
        which, instance, iou = which[first], instance[first], iou[first]
        tious[which] = iou
        # of each instance the strongest of those that are left
        first = _firsts(instance, np.lexsort((which, -candidates.scores[which])))
        chosen[:, instance[first]] = candidates.scores[which[first]], iou[first]
    order = ranking(candidates.scores, candidates.labels)
    labels = candidates.labels[order]
    of_class = np.bincount(ground_truth.labels, minlength=len(ground_truth.classes))
    strong = np.zeros(count, dtype=bool)
    strong[order] = rank_in_group(labels) < STRONG * of_class[labels]
    return ScoreTIoU(candidates.scores, tious, strong, *chosen, best)


def _firsts(groups: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Of each group the position that comes first in ``order``."""
    return order[np.unique(groups[order], return_index=True)[1]]


def score_tiou_numbers(found: ScoreTIoU) -> dict:
    """What the picture shows, in numbers.

    Args:
        found (ScoreTIoU): From :func:`score_tiou`.

    Returns:
        dict: JSON-ready. ``all`` and ``overlapping`` (candidates with a tIoU above 0), each with
        ``candidates``, ``pearson`` and ``spearman`` of scores and tIoUs (None of fewer than two
        candidates, or where one of both is the same for all); ``strong``, the strongest candidates
        of each class: ``candidates``, ``mean_tiou``; ``instances``: ``count``, how many are
        ``with_candidate``, one that overlaps no other more, ``mean_score`` and ``mean_tiou`` of
        the strongest one of each, ``best_mean_tiou`` of the best of all. A mean of nothing is None.
    """
    overlap = found.tious > 0
    tious = found.tious[found.strong]
    return dict(
        all=_correlations(found.scores, found.tious),
        overlapping=_correlations(found.scores[overlap], found.tious[overlap]),
        strong=dict(candidates=len(tious), mean_tiou=float(tious.mean()) if len(tious) else None),
        instances=dict(
            count=len(found.best_tious),
            with_candidate=int((found.instance_tious > 0).sum()),
            mean_score=float(found.instance_scores.mean()),
            mean_tiou=float(found.instance_tious.mean()),
            best_mean_tiou=float(found.best_tious.mean())))


def _correlations(scores: np.ndarray, tious: np.ndarray) -> dict[str, Optional[float]]:
    """Number of candidates and the two coefficients."""
    pearson = spearman = None
    if len(scores) > 1 and np.ptp(scores) > 0 and np.ptp(tious) > 0:
        from scipy.stats import pearsonr, spearmanr  # half a second, for this alone
        pearson = float(pearsonr(scores, tious).statistic)
        spearman = float(spearmanr(scores, tious).statistic)
    return dict(candidates=len(scores), pearson=pearson, spearman=spearman)
