"""The metric of class-agnostic proposals for MMEngine's Runner."""
import os.path as osp

import numpy as np
from mmaction.registry import METRICS
from mmengine.logging import MMLogger
from terminaltables import AsciiTable

from ...utils import write_json
from ..functional import average_recall, fingerprint, fingerprint_line
from ..protocols import tiou_range
from ..result_file import results_of
from .tal_metric import TALMetric

NUMBERS = (1, 5, 10, 100)


@METRICS.register_module()
class ProposalMetric(TALMetric):
    """AR@AN: recall of proposals, whatever their labels, by their average number per video.

    As ActivityNet's proposal task judges BMN and its relatives: mean recall over tIoU 0.5 to 0.95
    at 1, 5, 10 and 100 proposals per video, and the area under that curve up to 100. The protocol
    says only which subset is judged. Files are those of :class:`TALMetric`, but proposals have no
    label.

    Args:
        *args: See :class:`TALMetric`.
        **kwargs: See :class:`TALMetric`. ``tious`` defaults to 0.5:0.05:0.95.
    """

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Evaluate everything that was collected from all ranks.

        Args:
            results (list[dict]): See :meth:`TALMetric.compute_metrics`.

        Returns:
            dict[str, float]: ``AR@1``, ``AR@5``, ``AR@10``, ``AR@100`` and ``AUC``, fractions.

        Raises:
            ValueError: See :meth:`TALMetric.compute_metrics`.
        """
        detections, ground_truth = self._merge(results), self.ground_truth
        tious = tuple(self.tious or tiou_range(0.5, 0.95, 0.05))
        recall, _, area = average_recall(detections, ground_truth, tious, max(NUMBERS))
        flat = {f'AR@{n}': float(np.mean(recall[:, n - 1])) for n in NUMBERS}
        flat['AUC'] = area / 100
        mark = fingerprint(ground_truth, tious)
        rows = [list(flat), [f'{100 * value:.2f}' for value in flat.values()]]
        MMLogger.get_current_instance().info(
            f'\n{fingerprint_line(mark)}\n{AsciiTable(rows, "proposals").table}')
        if self.out_dir is not None:
            write_json(results_of(detections, ground_truth, labels=False),
                       osp.join(self.out_dir, 'detections.json'))
            write_json(dict(flat, fingerprint=mark), osp.join(self.out_dir, 'metrics.json'))
        return flat
