"""The metric of temporal action localization for MMEngine's Runner."""
import os.path as osp
from collections.abc import Sequence
from typing import Any, Optional, Union

import numpy as np
import torch
from mmaction.registry import METRICS, TASK_UTILS
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger
from mmengine.structures import InstanceData

from ...structures import merge_windows
from ...utils import TALDataError, write_json
from ..evaluate import evaluate_detections, flat_metrics, report_text
from ..ground_truth import load_ground_truth
from ..protocols import Protocol, get_protocol
from ..result_file import results_of
from ..structures import Detections, GroundTruth

_COLUMNS = ('segments', 'scores', 'labels')


@METRICS.register_module()
class TALMetric(BaseMetric):
    """mAP and recall of detections under a named protocol.

    Ground truth is read from the annotation file, not from the data samples, so that a result
    cannot depend on what a pipeline did to it. Windows of one video are put together first.
    Whatever the number of ranks and the batch size, the same detections give the same numbers.

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
            and ``metrics.json``. Defaults to None: nothing is written.
        allow_missing (bool): Whether videos of the subset without a prediction are reported and
            count as videos without detections; else they are an error. Defaults to False.
        merge_duplicates (bool): See :func:`.load_ground_truth`. Defaults to True.
        on_error (str): See :func:`.load_ground_truth`. Defaults to ``'raise'``.
        tie_order (str): See :func:`.ranking`. Defaults to ``'published'``.
        collect_device (str): As in :class:`mmengine.evaluator.BaseMetric`.
        prefix (str, optional): As in the base. Defaults to None: plain names, so that
            ``save_best='average_mAP'`` works.
        collect_dir (str, optional): As in the base.

    Raises:
        ValueError: If the protocol is unknown, or known neither here nor by the data set.
    """

    default_prefix = None

    def __init__(self,
                 ann_file: str,
                 protocol: Optional[str] = None,
                 subset: Union[str, Sequence[str], None] = None,
                 classes: Optional[Sequence[str]] = None,
                 tious: Optional[Sequence[float]] = None,
                 postprocessor: Optional[dict] = None,
                 out_dir: Optional[str] = None,
                 allow_missing: bool = False,
                 merge_duplicates: bool = True,
                 on_error: str = 'raise',
                 tie_order: str = 'published',
                 collect_device: str = 'cpu',
                 prefix: Optional[str] = None,
                 collect_dir: Optional[str] = None):
        # The base warns of a missing prefix, which is what we want here.
        super().__init__(collect_device, prefix or 'unset', collect_dir)
        self.prefix = prefix
        if protocol is not None:
            get_protocol(protocol, tious)  # a wrong name fails now, not after an epoch
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
        self.on_error = on_error
        self.tie_order = tie_order
        self._ground_truth: Optional[GroundTruth] = None

    @property
    def protocol(self) -> Protocol:
        """Protocol: The one asked for, else the data set's."""
        name = self.protocol_name or (self.dataset_meta or {}).get('protocol')
        if name is None:
            raise ValueError('TALMetric: no protocol given, and the data set names none')
        return get_protocol(name, self.tious)

    @property
    def ground_truth(self) -> GroundTruth:
        """GroundTruth: Of the subset, read on first use."""
        if self._ground_truth is None:
            classes = self.classes or (self.dataset_meta or {}).get('classes')
            subset = self.protocol.subsets if self.subset is None else self.subset
            self._ground_truth = load_ground_truth(self.ann_file, subset, classes,
                                                   self.merge_duplicates, self.on_error)
        return self._ground_truth

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
            data_batch: Not used.
            data_samples (Sequence[dict]): ``video_name`` and ``pred_instances`` with ``segments``
                (M, 2) in seconds, ``scores`` (M,), ``labels`` (M,); with sliding windows also
                ``window_index``.

        Raises:
            KeyError: If a sample lacks its name or predictions.
        """
        for sample in data_samples:
            instances = sample['pred_instances']
            self.results.append(
                dict(
                    video_name=sample['video_name'],
                    window_index=sample.get('window_index', 0),
                    num_windows=sample.get('num_windows', 1),
                    duration=sample.get('duration'),
                    segments=_array(instances['segments'], np.float64).reshape(-1, 2),
                    # not widened here: half the size to send between ranks
                    scores=_array(instances['scores']),
                    labels=_array(instances['labels'])))

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Evaluate everything that was collected from all ranks.

        Args:
            results (list[dict]): Entries of :meth:`process`, in any order; repeated ones (a
                sampler fills the last batch of a rank up) count once.

        Returns:
            dict[str, float]: See :func:`.flat_metrics`.

        Raises:
            ValueError: If videos or windows of the subset are missing, a video is not part of
                it, a label is no class, or a prediction is NaN.
        """
        logger = MMLogger.get_current_instance()
        ground_truth, protocol = self.ground_truth, self.protocol
        detections = self._merge(results)
        report = evaluate_detections(detections, ground_truth, protocol, self.tie_order)
        logger.info('\n' + report_text(report, protocol))
        if self.out_dir is not None:
            write_json(results_of(detections, ground_truth), osp.join(self.out_dir,
                                                                      'detections.json'))
            write_json(report, osp.join(self.out_dir, 'metrics.json'))
            logger.info(f'detections.json and metrics.json written to {self.out_dir}')
        return flat_metrics(report, protocol)

    def _merge(self, results: list[dict]) -> Detections:
        """Detections of all videos in the annotation file's order, each video's by score."""
        windows: dict[str, dict[int, dict]] = {}
        for result in results:
            windows.setdefault(result['video_name'], {}).setdefault(result['window_index'], result)
        self._check_coverage(windows)
        columns = []
        self._tell_classes()
        for v, name in enumerate(self.ground_truth.video_names):
            parts = [part for _, part in sorted(windows.get(name, {}).items())]
            if not parts:
                continue
            merged = merge_windows(
                [InstanceData(**{key: torch.from_numpy(part[key]) for key in _COLUMNS})
                 for part in parts],
                dict(video_name=name, duration=parts[0]['duration']), self.postprocessor)
            columns.append((_array(merged.segments, np.float64),
                            _array(merged.scores, np.float64), _array(merged.labels, np.int64),
                            np.full(len(merged), v, dtype=np.int64)))
            self._check_video(name, *columns[-1][:3])
        if not columns:
            return Detections(np.zeros((0, 2)), np.zeros(0), *np.zeros((2, 0), dtype=np.int64))
        return Detections(*map(np.concatenate, zip(*columns)))

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
                             f'{_listing(strange)}')
        missing = [name for name in self.ground_truth.video_names if name not in windows]
        missing += [
            f'{name} (window {index})' for name, parts in windows.items()
            for index in range(next(iter(parts.values()))['num_windows']) if index not in parts
        ]
        if missing:
            message = (f'{len(missing)} videos or windows of {where} {problem}: '
                       f'{_listing(missing)}')
            if not self.allow_missing:
                raise ValueError(f'TALMetric: {message}. allow_missing=True counts them as '
                                 'without detections')
            MMLogger.get_current_instance().warning(message)

    def _check_video(self, name: str, segments: np.ndarray, scores: np.ndarray,
                     labels: np.ndarray) -> None:
        if not (np.isfinite(segments).all() and np.isfinite(scores).all()):
            raise ValueError(f"TALMetric: predictions of video '{name}' hold NaN or infinity")
        num_classes = len(self.ground_truth.classes)
        if len(labels) and not (0 <= labels.min() and labels.max() < num_classes):
            raise ValueError(f"TALMetric: video '{name}' has predicted labels from {labels.min()} "
                             f'to {labels.max()}, but there are {num_classes} classes')


def _array(values: Any, dtype: Optional[type] = None) -> np.ndarray:
    """Tensor or array as an array on the CPU."""
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu()
        values = (values.float() if values.dtype == torch.bfloat16 else values).numpy()
    return np.asarray(values, dtype=dtype)


def _listing(names: Sequence[str]) -> str:
    return ', '.join(names[:10]) + (f' and {len(names) - 10} more' if len(names) > 10 else '')
