"""Where a detector fails: kinds of false positives.

After Alwassel et al., Diagnosing Error in Temporal Action Detectors, ECCV 2018 (section 3), with
what that text leaves open settled as the docstrings say. Which instances are found is in
:mod:`.sensitivity`.
"""
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..structures import Detections, GroundTruth
from .average_precision import ap_of_claims, check_tious
from .matching import group_instances, match, overlapping_pairs, ranking

ERROR_TYPES = ('true positive', 'double detection', 'wrong label', 'localization', 'confusion',
               'background')
MIN_OVERLAP = 0.1  # tIoU below which a detection saw nothing but background


@dataclass
class Diagnosis:
    """Detections by class and score, each with what it is at one threshold.

    Args:
        ranked (Detections): In the order of :func:`.ranking`.
        claimed (np.ndarray): (D,) instance each one claims, -1 for a false positive.
        kinds (np.ndarray): (D,) position in :data:`ERROR_TYPES`.
        rank (np.ndarray): (D,) position among the detections of its class.
        tiou (float): The threshold.
    """

    ranked: Detections
    claimed: np.ndarray
    kinds: np.ndarray
    rank: np.ndarray
    tiou: float


def diagnose(detections: Detections,
             ground_truth: GroundTruth,
             tiou: float = 0.5,
             tie_order: str = 'stable') -> Diagnosis:
    """Say of every detection whether it is right, and otherwise why not.

    A false positive is the first of these that applies: *double detection*, an instance of its
    class that reaches the threshold was claimed by a better one; *wrong label*, an instance of
    another class reaches it; *localization*, an instance of its class overlaps by at least 0.1;
    *confusion*, one of another class does; *background*.

    Args:
        detections (Detections): What was found.
        ground_truth (GroundTruth): What was to be found.
        tiou (float): Threshold, 0.1 or more; at 0.1 nothing is localization or confusion.
            Defaults to 0.5.
        tie_order (str): See :func:`.ranking`. Defaults to ``'stable'``.

    Returns:
        Diagnosis: See there.

    Raises:
        ValueError: If ``tiou`` is below 0.1 or above 1, or there is nothing to be found.
    """
    ground_truth.check_not_empty()
    check_tious([tiou])
    if tiou < MIN_OVERLAP:
        raise ValueError(f'diagnose: tiou must be {MIN_OVERLAP} or more, got {tiou}')
    ranked = detections.select(ranking(detections.scores, detections.labels, tie_order))
    claimed = match(ranked.segments, ranked.videos, ranked.labels, ground_truth.segments,
                    ground_truth.videos, ground_truth.labels, (tiou, ))[0]
    # Best overlap with instances of the same class, and of others, in the same video.
    same, other = np.zeros(len(ranked)), np.zeros(len(ranked))
    groups = group_instances(ground_truth.videos, np.zeros_like(ground_truth.labels),
                             ranked.videos, np.zeros_like(ranked.labels))
    if (groups.of_detection >= 0).any():
        detection, instance, iou = overlapping_pairs(groups, ranked.segments,
                                                     ground_truth.segments, MIN_OVERLAP)
        agrees = ranked.labels[detection] == ground_truth.labels[instance]
        np.maximum.at(same, detection[agrees], iou[agrees])
        np.maximum.at(other, detection[~agrees], iou[~agrees])
    kinds = np.select(
        [claimed >= 0, same >= tiou, other >= tiou, same >= MIN_OVERLAP, other >= MIN_OVERLAP],
        [0, 1, 2, 3, 4], 5)
    starts = np.searchsorted(ranked.labels, ranked.labels)
    return Diagnosis(ranked, claimed, kinds, np.arange(len(ranked)) - starts, tiou)


def false_positive_profile(diagnosis: Diagnosis,
                           ground_truth: GroundTruth,
                           max_k: int = 10) -> np.ndarray:
    """Kinds of detections among each class's best k * G, G being its number of instances.

    Args:
        diagnosis (Diagnosis): From :func:`diagnose`.
        ground_truth (GroundTruth): The same.
        max_k (int): Largest k. Defaults to 10.

    Returns:
        np.ndarray: (max_k, 6) mean over classes of the share that each of :data:`ERROR_TYPES` has
        among the (k-1) * G + 1st to k * Gth detections; a class with fewer detections leaves the
        rest of its share empty, so a row may sum to less than 1.

    Raises:
        ValueError: If ``max_k`` is not positive.
    """
    if max_k < 1:
        raise ValueError(f'false_positive_profile: max_k must be positive, got {max_k}')
    num_classes = len(ground_truth.classes)
    instances = np.bincount(ground_truth.labels, minlength=num_classes)
    mine = instances[diagnosis.ranked.labels]
    k = diagnosis.rank // np.maximum(mine, 1)
    use = (mine > 0) & (k < max_k)
    profile = np.zeros((max_k, len(ERROR_TYPES)))
    np.add.at(profile, (k[use], diagnosis.kinds[use]), 1 / mine[use])
    return profile / max(int(ground_truth.present.sum()), 1)


def error_impact(diagnosis: Diagnosis, ground_truth: GroundTruth) -> dict[str, float]:
    """What mAP would gain were all false positives of one kind left out.

    Args:
        diagnosis (Diagnosis): From :func:`diagnose`.
        ground_truth (GroundTruth): The same.

    Returns:
        dict[str, float]: ``mAP`` at the threshold, then the gain for each kind but the first.
    """

    def mean_ap(keep: np.ndarray) -> float:
        ap = ap_of_claims((diagnosis.claimed[keep] >= 0)[None], diagnosis.ranked.labels[keep],
                          ground_truth)
        return float(np.nanmean(ap))

    base = mean_ap(np.ones(len(diagnosis.kinds), dtype=bool))
    gains = {
        name: mean_ap(diagnosis.kinds != kind) - base
        for kind, name in enumerate(ERROR_TYPES) if kind > 0
    }
    return dict(mAP=base, **gains)


def average_error_impact(detections: Detections, ground_truth: GroundTruth,
                         tious: Sequence[float]) -> dict[str, float]:
    """Mean of :func:`error_impact` over thresholds, at each of which kinds are told apart anew.

    Args:
        detections (Detections): What was found.
        ground_truth (GroundTruth): What was to be found.
        tious (Sequence[float]): Thresholds, 0.1 or more.

    Returns:
        dict[str, float]: Average ``mAP``, then the average gain for each kind but the first.

    Raises:
        ValueError: See :func:`diagnose`; if there is no threshold.
    """
    check_tious(tious)
    impacts = [error_impact(diagnose(detections, ground_truth, tiou), ground_truth)
               for tiou in tious]
    return {name: float(np.mean([impact[name] for impact in impacts])) for name in impacts[0]}
