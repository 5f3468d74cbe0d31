"""What a result was measured on, in a few numbers that tell two protocols apart."""
from collections.abc import Sequence

from ..structures import GroundTruth


def fingerprint(ground_truth: GroundTruth, tious: Sequence[float]) -> dict:
    """Numbers to compare before comparing results.

    Args:
        ground_truth (GroundTruth): What is to be found.
        tious (Sequence[float]): Thresholds of the average mAP.

    Returns:
        dict: ``videos``, ``instances`` and ``classes`` (those with instances, which are averaged
        over) of the subset, ``subset``, ``merged_duplicates`` (annotations left out because they
        repeat another), ``tious`` and ``sha256`` of the annotation file.
    """
    return dict(
        videos=len(ground_truth.video_names),
        instances=len(ground_truth.labels),
        classes=int(ground_truth.present.sum()),
        subset=ground_truth.subset,
        merged_duplicates=ground_truth.merged,
        tious=list(tious),
        sha256=ground_truth.sha256)


def fingerprint_line(values: dict) -> str:
    """One line for the log.

    Args:
        values (dict): From :func:`fingerprint`.

    Returns:
        str: Such as ``212 videos, 3358 instances, 20 classes, ...``.
    """
    tious = values['tious']
    return (f"{values['videos']} videos ('{values['subset']}'), {values['instances']} instances, "
            f"{values['classes']} classes, tIoU {', '.join(f'{t:g}' for t in tious)}, "
            f"annotations sha256 {values['sha256'][:12]}")
