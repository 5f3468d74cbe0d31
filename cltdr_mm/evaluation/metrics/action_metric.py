"""The metric of EPIC-KITCHENS-100's action task for MMEngine's Runner."""
from collections.abc import Sequence
from pathlib import Path
from typing import Optional

from mmaction.registry import METRICS
from mmengine.logging import MMLogger

from ..action_lists import TASKS, judge_actions, load_actions
from ..structures import Detections, GroundTruth
from ..submissions import epic_action_submission, write_submission
from .tal_metric import TALMetric


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
            self._ground_truth = load_actions(
                self.ann_file, self.noun_ann_file, subset, self.protocol, self.on_error)
        return self._ground_truth

    def _write(self, results: dict) -> None:
        super()._write(results)
        write_submission(epic_action_submission(results['results'], self.supervision),
                         Path(self.out_dir, 'test.json'))
        MMLogger.get_current_instance().info(f'test.json, the challenge\'s file, written to '
                                             f'{self.out_dir}')

    def _judge(self, detections: Detections) -> tuple[dict[str, float], dict, str]:
        """See the base."""
        report, line, self.short_text = judge_actions(
            detections, self.ground_truth, self.protocol, self.tie_order)
        self.of_classes = {}
        flat = {f'{task}/average_mAP': report[task]['average_mAP'] for task in TASKS}
        flat.update({f'{task}/mAP@{t}': value for task in TASKS
                     for t, value in report[task]['mAP'].items()})
        return flat, report, f'{line}\n{self.short_text}'
