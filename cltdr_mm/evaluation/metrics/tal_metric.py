"""The metric of temporal action localization for MMEngine's Runner."""
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional, Union

import numpy as np
from mmaction.registry import METRICS, TASK_UTILS
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger

from ...utils import TALDataError, write_json
from ..evaluate import evaluate_detections, flat_metrics, report_text, short_text
from ..ground_truth import load_ground_truth
from ..protocols import Protocol, get_protocol, tiou_name
from ..remarks import OF_CANDIDATES
from ..result_file import results_of
from ..structures import Detections, GroundTruth
from .merged import check_values, listing, merged_detections, missing_windows, to_array
from .mmaction_outputs import with_instances


@METRICS.register_module()
class TALMetric(BaseMetric):
    """mAP and recall of detections under a named protocol.

    Ground truth is read from the annotation file, not from the data samples, so that a result
    cannot depend on what a pipeline did to it. Windows of one video are put together first.
    Whatever the number of ranks and the batch size, the same detections give the same numbers.
    Detections are written before they are judged, so that whatever is wrong then, they are there;
    a subset without annotations, such as a hidden test set, is not judged.

    Args:
        ann_file (str): Annotation JSON of the data set.
        protocol (str, optional): One of :data:`.PROTOCOLS`. Defaults to None: the data set's own
            (``protocol`` in its metainfo).
        subset (str, optional): Subset to evaluate on. Defaults to None: the protocol's.
        classes (Sequence[str], optional): Class names in the order of the predicted labels.
            Defaults to None: the data set's.
        tious (Sequence[float], optional): Thresholds in place of the protocol's. Defaults to
            None.
        postprocessor (dict, optional): Config of a :class:`.TALPostProcessor` applied to every
            video after its windows were put together; the model's own should then do nothing.
            Defaults to None.
        out_dir (str, optional): Folder for ``detections.json`` (ActivityNet's submission layout)
            and, once they are judged, ``metrics.json``. Defaults to None: nothing is written.
        allow_missing (bool): Whether videos of the subset without a prediction are reported and
            count as videos without detections; else they are an error. Defaults to False.
        merge_duplicates (bool, optional): See :func:`.load_ground_truth`. Defaults to None: what
            the protocol says.
        recall_average (str, optional): ``average`` of :func:`.recall_at_kx`: ``'macro'``, over
            classes, or ``'micro'``, over instances. Defaults to None: the protocol's.
        on_error (str): See :func:`.load_ground_truth`. Defaults to ``'raise'``.
        tie_order (str): See :func:`.ranking`. Defaults to ``'stable'``.
        predictions (str): Which of a sample's predictions are judged. Defaults to
            ``'pred_instances'``.
        collect_device (str): As in :class:`mmengine.evaluator.BaseMetric`.
        prefix (str, optional): As in the base. Defaults to None: plain names, so that
            ``save_best='average_mAP'`` works.
        collect_dir (str, optional): As in the base.

    Attributes:
        text (str): What the log says of the last detections judged; empty if there are none.
        short_text (str): The same in a few lines.
        of_classes (dict[str, float]): AP of each class, averaged over the thresholds, by
            ``AP/<class>``.

    Raises:
        ValueError: If the protocol is unknown, or known neither here nor by the data set.
    """

    default_prefix = None
    #: Whether predictions need a class.
    with_labels = True

    def __init__(self,
                 ann_file: str,
                 protocol: Optional[str] = None,
                 subset: Union[str, Sequence[str], None] = None,
                 classes: Optional[Sequence[str]] = None,
                 tious: Optional[Sequence[float]] = None,
                 postprocessor: Optional[dict] = None,
                 out_dir: Optional[str] = None,
                 allow_missing: bool = False,
                 merge_duplicates: Optional[bool] = None,
                 recall_average: Optional[str] = None,
                 on_error: str = 'raise',
                 tie_order: str = 'stable',
                 predictions: str = 'pred_instances',
                 collect_device: str = 'cpu',
                 prefix: Optional[str] = None,
                 collect_dir: Optional[str] = None):
        # The base warns of a missing prefix, which is what we want here.
        super().__init__(collect_device, prefix or 'unset', collect_dir)
        self.prefix = prefix
        if protocol is not None:
            # a wrong name fails now, not after an epoch
            get_protocol(protocol, tious, recall_average)
        self.ann_file = ann_file
        self.protocol_name = protocol
        self.subset = subset
        self.classes = None if classes is None else tuple(classes)
        self.tious = tious
        self.postprocessor = (
            None if postprocessor is None else TASK_UTILS.build(postprocessor))
        self.out_dir = out_dir
        self.allow_missing = allow_missing
        self.merge_duplicates = merge_duplicates
        self.recall_average = recall_average
        self.on_error = on_error
        self.tie_order = tie_order
        self.predictions = predictions
        self.of_candidates = False
        self._ground_truth: Optional[GroundTruth] = None
        self.text = self.short_text = ''
        self.of_classes: dict[str, float] = {}

    @property
    def protocol(self) -> Protocol:
        """Protocol: The one asked for, else the data set's."""
        name = self.protocol_name or (self.dataset_meta or {}).get('protocol')
        if name is None:
            raise ValueError('TALMetric: no protocol given, and the data set names none')
        return get_protocol(name, self.tious, self.recall_average)

    @property
    def ground_truth(self) -> GroundTruth:
        """GroundTruth: Of the subset, read on first use."""
        if self._ground_truth is None:
            classes = self.classes or (self.dataset_meta or {}).get('classes')
            subset = self.protocol.subsets if self.subset is None else self.subset
            self._ground_truth = load_ground_truth(
                self.ann_file, subset, classes, self.merge_duplicates, self.on_error,
                self.protocol)
        return self._ground_truth

    def set_suppressed(self, suppressed: bool) -> None:
        """Say whether the model suppresses its candidates; else, and if this does not, a remark.

        Args:
            suppressed (bool): Whether it does.
        """
        self.of_candidates = not suppressed and getattr(self.postprocessor, 'nms', None) is None

    def check_instances(self) -> None:
        """Check, before a training that keeps its best checkpoint, that there will be a best.

        Raises:
            TALDataError: If the subset has no instance to be found.
        """
        if len(self.ground_truth.labels) == 0:
            raise TALDataError.of(
                'nothing tells the best checkpoint', self.ann_file, 'annotations',
                f"subset '{self.ground_truth.subset}' has none; validate on another "
                '(val_dataloader.dataset.subset, val_evaluator.subset) or set '
                'default_hooks.checkpoint.save_best=None')

    def metric_names(self) -> list[str]:
        """Names of all that is measured, as ``save_best`` of a checkpoint hook takes them.

        Returns:
            list[str]: The keys of :meth:`compute_metrics`, with the prefix.
        """
        labels = np.zeros(0, dtype=np.int64)
        flat, _, _ = self._judge(Detections(np.zeros((0, 2)), np.zeros(0), labels, labels))
        return [f'{self.prefix}/{name}' if self.prefix else name for name in flat]

    def check_videos(self, video_names: Sequence[str]) -> None:
        """Check, before a run, that its data set is what will be judged.

        Args:
            video_names (Sequence[str]): All videos of the data set.

        Raises:
            TALDataError: If the annotation file cannot be used, videos are missing or not part
                of the subset, or the post-processor's files lack some.
        """
        self._tell_classes()
        if hasattr(self.postprocessor, 'check_videos'):
            self.postprocessor.check_videos(video_names)
        try:
            self._check_coverage({name: {0: dict(num_windows=1)} for name in video_names},
                                 'are not in the data set')
        except TALDataError:
            raise
        except ValueError as error:
            raise TALDataError.of('the data do not fit the metric', self.ann_file, 'videos',
                                  str(error)) from None

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep the predictions of a batch, one entry a sample.

        Args:
            data_batch (dict): Its ``data_samples`` are looked at for MMAction2's localizers only.
            data_samples (Sequence[dict]): ``video_name`` and predictions with ``segments``
                (M, 2) in seconds, ``scores`` (M,), ``labels`` (M,), which proposals do without;
                with sliding windows also ``window_index``. Or what MMAction2's BMN, TEM and TCANet
                return, see :func:`.with_instances`.

        Raises:
            KeyError: If a sample lacks its name or predictions.
        """
        given = (data_batch or {}).get('data_samples') or ()
        for sample in data_samples:
            sample = with_instances(sample, given)
            instances = sample[self.predictions]
            result = dict(
                video_name=sample['video_name'],
                window_index=sample.get('window_index', 0),
                num_windows=sample.get('num_windows', 1),
                duration=sample.get('duration'),
                segments=to_array(instances['segments'], np.float64).reshape(-1, 2),
                # not widened here: half the size to send between ranks
                scores=to_array(instances['scores']))
            if 'labels' in instances:
                result['labels'] = to_array(instances['labels'])
            self.results.append(result)

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Write everything that was collected from all ranks, then judge it.

        Args:
            results (list[dict]): Entries of :meth:`process`, in any order; repeated ones (a
                sampler fills the last batch of a rank up) count once.

        Returns:
            dict[str, float]: See :func:`.flat_metrics`; empty if the subset has no annotations.

        Raises:
            ValueError: If videos or windows of the subset are missing, a video is not part of
                it, a label is no class, or a prediction is NaN.
            TALDataError: If predictions have no labels.
        """
        logger, truth = MMLogger.get_current_instance(), self.ground_truth
        self.text, self.short_text, self.of_classes = '', '', {}
        windows: dict[str, dict[int, dict]] = {}
        for result in results:
            windows.setdefault(result['video_name'], {}).setdefault(result['window_index'], result)
        names = [*truth.video_names, *sorted(set(windows).difference(truth.video_names))]
        self._tell_classes()
        detections, labelled = merged_detections(windows, names, self.postprocessor)
        if self.out_dir is not None:
            self._write(results_of(detections, truth, labelled and self.with_labels, names))
        self._check_coverage(windows)
        check_values(detections, names, len(truth.classes) if self.with_labels else None)
        if self.with_labels and not labelled:
            raise TALDataError.of(
                'the predictions do not fit the metric', self.ann_file, 'label', 'proposals have '
                'no class, which TALMetric needs: judge them by ProposalMetric, or let video-level '
                'scores bring classes (fusion of the post-processor)')
        if len(truth.labels) == 0:
            logger.warning(f"{self.ann_file}: subset '{truth.subset}' has no annotations, its "
                           f'{len(truth.video_names)} videos are not judged')
            return {}
        flat, report, text = self._judge(detections)
        self.text = text if self.prefix is None else f'{self.prefix}: {text}'
        logger.info('\n' + self.text)
        if self.out_dir is not None:
            write_json(report, Path(self.out_dir, 'metrics.json'))
            logger.info(f'metrics.json written to {self.out_dir}')
        return flat

    def _write(self, results: dict) -> None:
        """Write detections, in ActivityNet's submission layout, before they are judged."""
        write_json(results, Path(self.out_dir, 'detections.json'))
        Path(self.out_dir, 'metrics.json').unlink(missing_ok=True)  # of other detections
        MMLogger.get_current_instance().info(f'detections.json written to {self.out_dir}')

    def _judge(self, detections: Detections) -> tuple[dict[str, float], dict, str]:
        """Numbers for the Runner, ``metrics.json``, text for the log."""
        protocol = self.protocol
        report = evaluate_detections(detections, self.ground_truth, protocol, self.tie_order)
        if self.of_candidates:
            report['remarks'].insert(0, OF_CANDIDATES)
        self.short_text = short_text(report, protocol)
        tious = [tiou_name(t) for t in protocol.tious]
        self.of_classes = {f'AP/{name}': float(np.mean([ap[t] for t in tious]))
                           for name, ap in report['AP'].items()}
        return flat_metrics(report, protocol), report, report_text(report, protocol)

    def _tell_classes(self) -> None:
        if hasattr(self.postprocessor, 'set_classes'):
            self.postprocessor.set_classes(self.ground_truth.classes)

    def _check_coverage(self, windows: dict[str, dict[int, dict]],
                        problem: str = 'have no prediction') -> None:
        """Every window of every video of the subset must be there, and nothing else."""
        where = f"subset '{self.ground_truth.subset}' of {self.ann_file}"
        names = set(self.ground_truth.video_names)
        strange = sorted(set(windows) - names)
        if strange:
            raise ValueError(f'TALMetric: {len(strange)} videos are not part of {where}: '
                             f'{listing(strange)}')
        missing = missing_windows(windows, self.ground_truth.video_names)
        if missing:
            message = (f'{len(missing)} videos or windows of {where} {problem}: '
                       f'{listing(missing)}')
            if not self.allow_missing:
                raise ValueError(f'TALMetric: {message}. allow_missing=True counts them as '
                                 'without detections')
            MMLogger.get_current_instance().warning(message)
