"""Samples of MMAction2's ActivityNetDataset for our localizers, and ours for MMAction2's.

Both transforms stand behind the loading of features, and speak of the same sample there: MMAction2
has ``raw_feature`` (C, T), durations and ``annotations`` in seconds where we have ``rows``
(T, C), ``grid`` and ``gt_segments``. What follows in the pipeline is the other library's.
"""
from collections.abc import Sequence
from typing import Union

import numpy as np
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

from ...structures import FeatureGrid
from ...utils import TALDataError
from ...utils.json_files import nearest, number_problem
from ...utils.result_files import entry_problem
from ..annotations import read_class_file
from ..feature_values import find_nonfinite
from .sample import Sample, sample_rows

#: What ``feature_frame / duration_frame * duration_second`` is computed of: the seconds of a video
#: that its features cover.
DURATIONS = ('duration_second', 'duration_frame', 'feature_frame')


@TRANSFORMS.register_module()
class ActivityNetToTAL(BaseTransform):
    """Make a sample of ours of one of MMAction2's ActivityNetDataset.

    It follows ``LoadLocalizationFeature``, and then all transforms of ours may come; segments are
    made of ``annotations``, so that ``GenerateLocalizationLabels`` is not needed. As in MMAction2
    the T steps share evenly the ``feature_frame / duration_frame * duration_second`` seconds that
    the features cover.

    Required keys: ``video_name``, ``raw_feature`` (C, T), ``duration_second``,
    ``duration_frame``, ``feature_frame``; ``annotations`` where there are any. Added keys:
    ``rows`` float32 (T, C), ``grid``, ``duration`` (s), ``fps``, ``class_agnostic``;
    ``gt_segments`` float32 (N, 2) in grid steps and ``gt_labels`` int64 (N,).

    Args:
        classes (Sequence[str] or str, optional): Names of the classes in the order of their
            labels, or a text file of them, one a line. Defaults to None: actions have no class,
            all labels are 0 and predictions have none.

    Raises:
        TALDataError: If a key is missing or its value cannot be used, a label is no class, or
            features hold NaN or inf; names video and field.
    """

    def __init__(self, classes: Union[Sequence[str], str, None] = None):
        classes = read_class_file(classes) if isinstance(classes, str) else classes
        self.classes = None if classes is None else tuple(classes)

    def transform(self, results: dict) -> dict:
        """Convert one sample.

        Args:
            results (dict): See the class.

        Returns:
            dict: The sample with the added keys.
        """
        if 'raw_feature' not in results:
            raise self._error(results, 'raw_feature', "is missing: put dict(type='"
                              "LoadLocalizationFeature') before ActivityNetToTAL")
        rows = np.ascontiguousarray(results['raw_feature'].T, dtype=np.float32)
        where = find_nonfinite(rows)
        if where is not None:
            raise self._error(results, 'feature values',
                              f'NaN or inf at step {where[0]}, channel {where[1]}')
        seconds, frames, covered = (self._positive(results, key) for key in DURATIONS)
        fps, stride = frames / seconds, covered / len(rows)
        grid = FeatureGrid(fps=fps, stride=stride, window=stride, num_steps=len(rows))
        results.update(rows=rows, grid=grid, duration=seconds, fps=fps,
                       class_agnostic=self.classes is None)
        if 'annotations' in results:
            segments, labels = self._actions(results)
            results.update(gt_segments=grid.to_grid(segments).astype(np.float32),
                           gt_labels=labels)
        return Sample(results)

    def _positive(self, results: dict, key: str) -> float:
        value = results.get(key)
        why = 'is missing' if value is None else number_problem(value)
        if why is None and value <= 0:
            why = f'must be positive, got {value:g}'
        if why is not None:
            raise self._error(results, key, why)
        return float(value)

    def _actions(self, results: dict) -> tuple[np.ndarray, np.ndarray]:
        """Segments (N, 2) in seconds and labels (N,) of the annotations."""
        annotations = results['annotations']
        labels = np.zeros(len(annotations), dtype=np.int64)
        fields = ('segment', ) if self.classes is None else ('segment', 'label')
        for i, action in enumerate(annotations):
            found = entry_problem(action, fields)
            if found is not None:
                raise self._error(results, f'annotations[{i}]{found[0]}', found[1])
            if self.classes is None:
                continue
            if action['label'] not in self.classes:
                raise self._error(results, f'annotations[{i}].label',
                                  f"{action['label']!r} is none of the {len(self.classes)} classes "
                                  f"({nearest(str(action['label']), self.classes)})")
            labels[i] = self.classes.index(action['label'])
        segments = [action['segment'] for action in annotations]
        return np.array(segments, dtype=np.float64).reshape(-1, 2), labels

    @staticmethod
    def _error(results: dict, field: str, message: str) -> TALDataError:
        return TALDataError.of('ActivityNetToTAL', results.get('feature_path', 'sample'), field,
                               message, results['video_name'])

    def __repr__(self) -> str:
        classes = None if self.classes is None else len(self.classes)
        return f'{type(self).__name__}(classes={classes})'


@TRANSFORMS.register_module()
class TALToActivityNet(BaseTransform):
    """Give a sample of ours the keys of MMAction2's ActivityNetDataset.

    It follows our loading and ``ResizeFeature``: MMAction2's localizers take sequences of one
    length. Then come ``GenerateLocalizationLabels`` and ``PackLocalizationInputs``, or
    :class:`.PackTALInputs` for a localizer of ours that ``ANetMetric`` judges. Steps share
    evenly what they cover, as after ``ResizeFeature``; ``duration_second`` is what they cover,
    so that MMAction2's fractions of a video and its seconds are of the same stretch.

    Required keys: ``video_name``, ``rows`` (T, C), ``grid``; ``gt_segments`` and ``gt_labels``
    where there are any. Added keys: ``raw_feature`` float32 (C, T), ``duration_second``,
    ``duration_frame``, ``feature_frame``; ``annotations``, a list of dicts with ``segment`` in
    seconds and ``label``, a number.

    Args:
        interval (int): Frames that a step counts as, the ``feature_extraction_interval`` of the
            localizer. Defaults to 16, as there.

    Raises:
        ValueError: If ``interval`` is not positive, or a sample is a crop or window, which
            MMAction2's localizers have no place for.
    """

    def __init__(self, interval: int = 16):
        if interval < 1:
            raise ValueError(f'interval must be positive, got {interval}')
        self.interval = interval

    def transform(self, results: dict) -> dict:
        """Convert one sample.

        Args:
            results (dict): See the class.

        Returns:
            dict: The same dict with the added keys.
        """
        rows, grid = sample_rows(results, self), results['grid']
        if grid.start or results.get('num_windows', 1) > 1:
            raise ValueError(f"TALToActivityNet: video '{results['video_name']}' comes as a crop "
                             'or window, but MMAction2 places segments in whole videos: leave '
                             'RandomCropFeature and `window` of the data set out')
        frames = grid.num_steps * self.interval
        results.update(raw_feature=rows.T, duration_second=grid.extent, duration_frame=frames,
                       feature_frame=frames)
        if 'gt_segments' in results:
            segments = grid.to_seconds(results['gt_segments'].astype(np.float64)).tolist()
            results['annotations'] = [dict(segment=segment, label=label) for segment, label in zip(
                segments, results['gt_labels'].tolist())]
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(interval={self.interval})'
