"""The curves of BSN's TEM as files, from which BSN goes on."""
from collections.abc import Sequence
from typing import Any, Optional

from mmaction.evaluation import ANetMetric
from mmaction.registry import METRICS


@METRICS.register_module()
class TEMCurves(ANetMetric):
    """Writes what MMAction2's ``ANetMetric`` of ``metric_type='TEM'`` does, also of our encoders.

    A file ``<video>.csv`` for every video, with a row a step: probability of action, start and end,
    and the ends of the step as fractions of the sequence. Nothing is judged.

    Args:
        out_dir (str): Folder to write.
        collect_device (str): As in :class:`mmengine.evaluator.BaseMetric`. Defaults to ``'cpu'``.
        prefix (str, optional): As in the base. Defaults to None.
    """

    def __init__(self, out_dir: str, collect_device: str = 'cpu', prefix: Optional[str] = None):
        super().__init__('TEM', collect_device, prefix,
                         dump_config=dict(out=out_dir, output_format='csv'))

    def process(self, data_batch: Any, predictions: Sequence) -> None:
        """Collect the curves of one batch.

        Args:
            data_batch: Not looked at.
            predictions (Sequence): Data samples as dicts, with ``curves`` (T, 5), of an
                :class:`.EncodedLocalizer` around TEM; or the names and curves that TEM returns.

        Raises:
            ValueError: If a prediction has none, or is of a window of a video.
        """
        found = []
        for output in predictions:
            if not isinstance(output, tuple):
                name = output['video_name']
                if 'curves' not in output:
                    raise ValueError(f"TEMCurves: the prediction of video '{name}' has no curves: "
                                     'the localizer must be TEM, or an EncodedLocalizer around it')
                if output.get('num_windows', 1) > 1:
                    raise ValueError(f"TEMCurves: video '{name}' comes in windows, and its curves "
                                     'must be of all of it: leave `window` of the data set out')
                output = name, output['curves']
            found.append(output)
        super().process(data_batch, found)
