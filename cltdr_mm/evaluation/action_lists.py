"""EPIC-KITCHENS-100's action task: pairs of a verb and a noun, and one list judged three times."""
from collections.abc import Sequence
from dataclasses import replace
from typing import Union

import numpy as np
from terminaltables import AsciiTable

from ..datasets.classes import class_names
from ..utils import TALDataError
from .functional import average_precision, fingerprint, fingerprint_line
from .ground_truth import load_ground_truth
from .protocols import Protocol, tiou_name
from .structures import Detections, GroundTruth
from .submissions import action_label

TASKS = ('verb', 'noun', 'action')


def load_actions(ann_file: str,
                 noun_ann_file: str,
                 subset: Union[str, Sequence[str], None],
                 protocol: Protocol,
                 on_error: str = 'raise') -> GroundTruth:
    """Read actions of the annotations of their verbs and of their nouns.

    Args:
        ann_file (str): Annotation JSON of the verbs.
        noun_ann_file (str): Annotation JSON of the nouns, of the same segments in the same order.
        subset (str or Sequence[str], optional): See :func:`.load_ground_truth`.
        protocol (Protocol): See :func:`.load_ground_truth`. Annotations that repeat another count,
            whatever it says.
        on_error (str): See :func:`.load_ground_truth`. Defaults to ``'raise'``.

    Returns:
        GroundTruth: The label of the action (v, n) is v * 300 + n, and its name ``'v,n'``.

    Raises:
        TALDataError: If a file cannot be used, or both are not of the same segments.
    """
    verbs, nouns = (load_ground_truth(file, subset, class_names(f'epic100_{task}'), False, on_error,
                                      protocol)
                    for task, file in (('verb', ann_file), ('noun', noun_ann_file)))
    _check_same(verbs, nouns)
    number = len(nouns.classes)
    return replace(verbs, labels=verbs.labels * number + nouns.labels, classes=tuple(
        action_label(v, n) for v in range(len(verbs.classes)) for n in range(number)))


def _check_same(verbs: GroundTruth, nouns: GroundTruth) -> None:
    """Verbs and nouns are paired by their place, which has to be the same in both files."""
    def bad(video: str, message: str) -> TALDataError:
        return TALDataError.of(
            'verbs and nouns do not belong together', nouns.ann_file, 'annotations',
            f'{message} than in {verbs.ann_file}: convert both from the same files', video)

    for index, name in enumerate(verbs.video_names):
        if index >= len(nouns.video_names) or nouns.video_names[index] != name:
            raise bad(name, 'is not at the same place')
        of_verbs, of_nouns = (truth.segments[truth.videos == index] for truth in (verbs, nouns))
        if not np.array_equal(of_verbs, of_nouns):
            raise bad(name, 'has other segments')
    for name in nouns.video_names[len(verbs.video_names):]:
        raise bad(name, 'is only there')


def judge_actions(detections: Detections, truth: GroundTruth, protocol: Protocol,
                  tie_order: str = 'stable') -> tuple[dict, str, str]:
    """Take one list of actions three times: by verbs, by nouns, and by both.

    As the challenge's official evaluation (C2-Action-Detection) does. Each mAP is the mean over the
    classes that have instances.

    Args:
        detections (Detections): Of actions.
        truth (GroundTruth): From :func:`load_actions`.
        protocol (Protocol): Its thresholds count.
        tie_order (str): See :func:`.ranking`. Defaults to ``'stable'``.

    Returns:
        tuple[dict, str, str]: The report, JSON-able, with ``mAP``, ``average_mAP`` and ``AP`` of
        each task; a line on the ground truth; and the table, in percent.

    Raises:
        ValueError: If there is no instance to be found.
    """
    truth.check_not_empty()
    tious, number = protocol.tious, len(class_names('epic100_noun'))
    names = {'verb': class_names('epic100_verb'), 'noun': class_names('epic100_noun'),
             'action': truth.classes}
    part = {'verb': lambda labels: labels // number, 'noun': lambda labels: labels % number,
            'action': lambda labels: labels}
    report = dict(protocol=protocol.name, fingerprint=fingerprint(truth, tious))
    rows = [['tIoU', *map(tiou_name, tious), 'average']]
    for task in TASKS:
        judged = replace(truth, labels=part[task](truth.labels), classes=names[task])
        ap = average_precision(replace(detections, labels=part[task](detections.labels)), judged,
                               tious, tie_order)[:, judged.present]  # (T, K)
        table = dict(zip(map(tiou_name, tious), ap.mean(axis=1).tolist()))
        report[task] = dict(mAP=table, average_mAP=float(ap.mean()), AP={
            names[task][c]: dict(zip(table, ap[:, i].tolist()))
            for i, c in enumerate(np.flatnonzero(judged.present))})
        rows.append([f'{task} ({int(judged.present.sum())} classes)',
                     *(f'{100 * value:.2f}' for value in (*table.values(), ap.mean()))])
    return (report, f"{protocol.name}: {fingerprint_line(report['fingerprint'])}",
            AsciiTable(rows, ' mAP of one list, % ').table)
