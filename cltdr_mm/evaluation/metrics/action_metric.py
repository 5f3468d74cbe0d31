"""The metric of EPIC-KITCHENS-100's action task for MMEngine's Runner."""
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Optional

import numpy as np
from mmaction.registry import METRICS
from mmengine.logging import MMLogger
from terminaltables import AsciiTable

from ...datasets.classes import class_names
from ...utils import TALDataError
from ..functional import average_precision, fingerprint, fingerprint_line
from ..ground_truth import load_ground_truth
from ..protocols import tiou_name
from ..structures import Detections, GroundTruth
from ..submissions import action_label, epic_action_submission, write_submission
from .tal_metric import TALMetric

TASKS = ('verb', 'noun', 'action')


@METRICS.register_module()
class EPICActionMetric(TALMetric):
    """mAP of verbs, nouns and actions, all of one list of detected actions.

    As the challenge's official evaluation (C2-Action-Detection) judges its submission: the list is
    taken three times, by the verbs of its actions, by their nouns, and by the pairs. Each mAP is
    the mean over the classes that have instances; annotations that repeat another count.

    With ``out_dir`` there is also ``test.json``, the challenge's file, which has been checked;
    labels of ``detections.json`` are ``'verb,noun'``, the numbers of the classes.

    Args:
        ann_file (str): Annotation JSON of the verbs.
        noun_ann_file (str): Annotation JSON of the nouns, of the same segments in the same order.
        supervision (Sequence[int]): See :func:`.epic_action_submission`. Defaults to (2, 3, 4).
        **kwargs: See :class:`TALMetric`. ``protocol`` defaults to ``'epic100'``; the label of the
            action (v, n) is v * 300 + n, and classes cannot be others.
    """

    def __init__(self,
                 ann_file: str,
                 noun_ann_file: str,
                 supervision: Sequence[int] = (2, 3, 4),
                 protocol: Optional[str] = 'epic100',
                 **kwargs):
        super().__init__(ann_file, protocol, **kwargs)
        self.noun_ann_file = noun_ann_file
        self.supervision = tuple(supervision)

    @property
    def ground_truth(self) -> GroundTruth:
        """GroundTruth: Actions of the subset, read on first use."""
        if self._ground_truth is None:
            subset = self.protocol.subsets if self.subset is None else self.subset
            verbs, nouns = (load_ground_truth(
                file, subset, class_names(f'epic100_{task}'), False, self.on_error, self.protocol)
                for task, file in (('verb', self.ann_file), ('noun', self.noun_ann_file)))
            self._check_same(verbs, nouns)
            number = len(nouns.classes)
            self._ground_truth = replace(
                verbs, labels=verbs.labels * number + nouns.labels,
                classes=tuple(action_label(v, n) for v in range(len(verbs.classes))
                              for n in range(number)))
        return self._ground_truth

    def _check_same(self, verbs: GroundTruth, nouns: GroundTruth) -> None:
        """Verbs and nouns are paired by their place, which has to be the same in both files."""
        for index, name in enumerate(verbs.video_names):
            if index >= len(nouns.video_names) or nouns.video_names[index] != name:
                raise self._bad(name, 'is not at the same place')
            of_verbs, of_nouns = (truth.segments[truth.videos == index]
                                  for truth in (verbs, nouns))
            if not np.array_equal(of_verbs, of_nouns):
                raise self._bad(name, 'has other segments')
        for name in nouns.video_names[len(verbs.video_names):]:
            raise self._bad(name, 'is only there')

    def _bad(self, video: str, message: str) -> TALDataError:
        return TALDataError.of('verbs and nouns do not belong together', self.noun_ann_file,
                               'annotations', f'{message} than in {self.ann_file}: convert both '
                               'from the same files', video)

    def _write(self, results: dict) -> None:
        super()._write(results)
        write_submission(epic_action_submission(results['results'], self.supervision),
                         Path(self.out_dir, 'test.json'))
        MMLogger.get_current_instance().info(f'test.json, the challenge\'s file, written to '
                                             f'{self.out_dir}')

    def _judge(self, detections: Detections) -> tuple[dict[str, float], dict, str]:
        """See the base."""
        truth, tious = self.ground_truth, self.protocol.tious
        number = len(class_names('epic100_noun'))
        names = {'verb': class_names('epic100_verb'), 'noun': class_names('epic100_noun'),
                 'action': truth.classes}
        part = {'verb': lambda labels: labels // number, 'noun': lambda labels: labels % number,
                'action': lambda labels: labels}
        flat, report = {}, dict(protocol=self.protocol.name, fingerprint=fingerprint(truth, tious))
        rows = [['tIoU', *map(tiou_name, tious), 'average']]
        for task in TASKS:
            judged = replace(truth, labels=part[task](truth.labels), classes=names[task])
            ap = average_precision(replace(detections, labels=part[task](detections.labels)),
                                   judged, tious, self.tie_order)[:, judged.present]  # (T, K)
            table = dict(zip(map(tiou_name, tious), ap.mean(axis=1).tolist()))
            report[task] = dict(mAP=table, average_mAP=float(ap.mean()), AP={
                names[task][c]: dict(zip(table, ap[:, i].tolist()))
                for i, c in enumerate(np.flatnonzero(judged.present))})
            flat.update({f'{task}/average_mAP': report[task]['average_mAP'],
                         **{f'{task}/mAP@{t}': value for t, value in table.items()}})
            rows.append([f'{task} ({int(judged.present.sum())} classes)',
                         *(f'{100 * value:.2f}' for value in (*table.values(), ap.mean()))])
        self.of_classes = {}
        shown = AsciiTable(rows, ' mAP of one list, % ')
        self.short_text = shown.table
        return flat, report, '\n'.join(
            [f"{self.protocol.name}: {fingerprint_line(report['fingerprint'])}", shown.table])
