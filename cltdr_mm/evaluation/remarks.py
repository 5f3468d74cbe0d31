"""Sentences on what a reader of a result could overlook."""
import numpy as np

from .protocols import Protocol
from .structures import Detections, GroundTruth

#: Of a model whose candidates nothing suppressed.
OF_CANDIDATES = ('these are candidates that no NMS has suppressed (model.postprocessor.nms=None): '
                 "the figures are not the model's")


def ground_truth_remarks(ground_truth: GroundTruth, protocol: Protocol) -> list[str]:
    """Say what of the annotations does not count as a reader may think.

    Args:
        ground_truth (GroundTruth): What is to be found.
        protocol (Protocol): How it is judged.

    Returns:
        list[str]: None when there is nothing to say.
    """
    lines = []
    for label, count in ground_truth.ignored.items():
        if count:
            lines.append(f"{count} annotations labelled '{label}' are left out: it is no class")
    own = sorted(set(ground_truth.classes) - set(protocol.classes or ground_truth.classes))
    if own:
        lines.append(f'other classes than those of {protocol.name} ({", ".join(own[:5])}'
                     f'{" ..." if len(own) > 5 else ""}): not comparable with its numbers')
    if protocol.recall_average == 'micro':
        lines.append("recall is the share of all instances (micro average), found where the tIoU "
                     'exceeds the threshold')
    empty = int((ground_truth.segments[:, 0] == ground_truth.segments[:, 1]).sum())
    if empty:
        lines.append(f"{empty} annotations have no length: they count as instances that nothing "
                     "finds, as in ActivityNet's toolkit")
    if ground_truth.unused:
        lines.append(f'{ground_truth.unused} items of the annotations cannot be used and are left '
                     'out')
    return lines


def detection_counts(detections: Detections, ground_truth: GroundTruth) -> dict[str, int]:
    """Count detections that a reader of the mAP should know of.

    Args:
        detections (Detections): What was found.
        ground_truth (GroundTruth): What was to be found.

    Returns:
        dict[str, int]: ``count``; ``tied``: how many share their score with another of their
        class; ``outside_subset``; ``without_ground_truth``: of a class without instances, which no
        AP sees; ``beyond_duration``: begin after their video ends.
    """
    order = np.lexsort((detections.scores, detections.labels))
    scores, labels = detections.scores[order], detections.labels[order]
    equal = (scores[1:] == scores[:-1]) & (labels[1:] == labels[:-1])
    tied = np.zeros(len(scores), dtype=bool)
    tied[1:] |= equal
    tied[:-1] |= equal
    inside = detections.videos < len(ground_truth.video_names)
    durations = ground_truth.durations[detections.videos[inside]]  # NaN is not exceeded
    return dict(
        count=len(scores),
        tied=int(tied.sum()),
        outside_subset=int((~inside).sum()),
        without_ground_truth=int((~ground_truth.present[labels]).sum()),
        beyond_duration=int((detections.segments[inside, 0] > durations).sum()))


def detection_remarks(counts: dict[str, int]) -> list[str]:
    """Say of detections what the counts tell.

    Args:
        counts (dict[str, int]): From :func:`detection_counts`.

    Returns:
        list[str]: None when there is nothing to say.
    """
    lines, count = [], counts['count']
    if counts['outside_subset']:
        lines.append(f"{counts['outside_subset']} of {count} detections lie in videos outside the "
                     'subset and count as false positives')
    if counts['beyond_duration'] > 0.5 * (count - counts['outside_subset']):
        lines.append(f"{counts['beyond_duration']} of {count} detections begin after their video "
                     'ends: segments must be in seconds, not in frames or milliseconds')
    if counts['without_ground_truth']:
        lines.append(f"{counts['without_ground_truth']} detections are of classes without "
                     'instances in the subset and count nowhere')
    if counts['tied'] > 0.01 * count:
        lines.append(f"{counts['tied']} detections share their score with another of their class: "
                     'their order, and so the mAP, is a convention')
    if count == 0:
        lines.append('no detections')
    return lines
