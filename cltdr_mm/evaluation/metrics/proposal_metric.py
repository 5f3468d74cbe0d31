"""The metric of class-agnostic proposals for MMEngine's Runner."""
import numpy as np
from mmaction.registry import METRICS
from terminaltables import AsciiTable

from ..functional import average_recall, fingerprint, fingerprint_line
from ..protocols import tiou_range
from ..remarks import ground_truth_remarks
from ..structures import Detections
from .tal_metric import TALMetric

NUMBERS = (1, 5, 10, 100)


@METRICS.register_module()
class ProposalMetric(TALMetric):
    """AR@AN: recall of proposals, whatever their labels, by their average number per video.

    As ActivityNet's proposal task judges BMN and its relatives: mean recall over tIoU 0.5 to 0.95
    at 1, 5, 10 and 100 proposals per video, and the area under that curve up to 100, as ``AR@1``,
    ``AR@5``, ``AR@10``, ``AR@100`` and ``AUC``, fractions. The protocol says what is judged, not
    how. Files are those of :class:`TALMetric`, but proposals have no label.

    Args:
        *args: See :class:`TALMetric`.
        **kwargs: See :class:`TALMetric`. ``tious`` defaults to 0.5:0.05:0.95.
    """

    with_labels = False

    def _judge(self, detections: Detections) -> tuple[dict[str, float], dict, str]:
        """See the base."""
        ground_truth, tious = self.ground_truth, tuple(self.tious or tiou_range(0.5, 0.95, 0.05))
        recall, _, area = average_recall(detections, ground_truth, tious, max(NUMBERS))
        flat = {f'AR@{n}': float(np.mean(recall[:, n - 1])) for n in NUMBERS}
        flat['AUC'] = area / 100
        mark = fingerprint(ground_truth, tious)
        remarks = ground_truth_remarks(ground_truth, self.protocol)
        rows = [list(flat), [f'{100 * value:.2f}' for value in flat.values()]]
        self.short_text = '  '.join(f'{name} {value}' for name, value in zip(*rows)) + ' %'
        text = [fingerprint_line(mark), AsciiTable(rows, 'proposals').table, *remarks]
        return flat, dict(flat, fingerprint=mark, remarks=remarks), '\n'.join(text)
