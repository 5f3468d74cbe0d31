"""Checks one entry of an annotation file, field by field."""
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Optional

import numpy as np

from ..utils import Problem
from ..utils.json_files import nearest, number_problem, shown, without_quotes


@dataclass
class VideoAnnotation:
    """One checked entry of an annotation file.

    Args:
        video_name (str): Key of the entry.
        subset (str): Its subset, '' when the file has none.
        duration (float): Length of the video, seconds; NaN where an evaluation does without.
        fps (float): Frames per second on which features were taken; NaN likewise.
        stride (float, optional): Frames between two feature steps, when the entry has its own.
        window (float, optional): Frames one feature step sees, when the entry has its own.
        segments (np.ndarray): (N, 2) float64, seconds.
        labels (np.ndarray): (N,) int64, positions in the list of classes.
        ignored (dict[str, int]): Annotations left out because their label is ignored, by label.
    """

    video_name: str
    subset: str
    duration: float
    fps: float
    stride: Optional[float]
    window: Optional[float]
    segments: np.ndarray
    labels: np.ndarray
    ignored: dict[str, int] = field(default_factory=dict)


class AnnotationChecker:
    """Turns raw entries into :class:`VideoAnnotation`, noting every problem on the way.

    Args:
        ann_file (str): Named in the problems.
        classes (Sequence[str]): Class names, in the order of the labels.
        fps (float, optional): Replaces the fps of every entry. Defaults to None.
        default_fps (float, optional): Used for entries without fps. Defaults to None.
        duration_tolerance (float): Seconds that a segment may leave ``[0, duration]``.
            Defaults to 0.1.
        exempt_videos (Sequence[str]): Videos whose segments may leave the duration by any
            amount. Defaults to ().
        check_label_id (bool): Whether a ``label_id`` must be the position of the label in
            ``classes``. Defaults to True.
        require_annotations (bool): Whether an entry must have ``annotations``; test videos
            need none. Defaults to True.
        ignored_labels (Sequence[str]): Labels that are no class; annotations with them are left
            out unchecked, and counted. Defaults to ().
        for_evaluation (bool): Whether only segments and labels are wanted, as published files
            have them: fps, stride and window are not looked at, a duration may be missing,
            segments may leave it, ``label_id`` and ``annotations`` may be anything or missing,
            numbers may be in quotes. Defaults to False.
        allow_empty (bool): Whether a segment may end where it starts. Defaults to False.
        rates (Mapping[str, float]): Frame rate by video, before all others. Defaults to none.
    """

    def __init__(self,
                 ann_file: str,
                 classes: Sequence[str],
                 fps: Optional[float] = None,
                 default_fps: Optional[float] = None,
                 duration_tolerance: float = 0.1,
                 exempt_videos: Sequence[str] = (),
                 check_label_id: bool = True,
                 require_annotations: bool = True,
                 ignored_labels: Sequence[str] = (),
                 for_evaluation: bool = False,
                 allow_empty: bool = False,
                 rates: Mapping[str, float] = MappingProxyType({})):
        self.ann_file = ann_file
        self.index: dict[str, int] = {name: i for i, name in enumerate(classes)}
        self.fps = fps
        self.default_fps, self.rates = default_fps, rates
        self.duration_tolerance = duration_tolerance
        self.exempt_videos = frozenset(exempt_videos)
        self.check_label_id = check_label_id and not for_evaluation
        self.require_annotations = require_annotations and not for_evaluation
        self.ignored_labels = frozenset(ignored_labels) - set(self.index)
        self.for_evaluation = for_evaluation
        self.allow_empty = allow_empty
        self.problems: list[Problem] = []

    def note(self, video: Optional[str], field: str, message: str) -> None:
        """Add a problem to :attr:`problems`."""
        self.problems.append(Problem(self.ann_file, video, field, message))

    def video(self, name: str, entry: Any) -> Optional[VideoAnnotation]:
        """Check one entry of the database.

        Args:
            name (str): Its key.
            entry: Its value, of any type.

        Returns:
            Optional[VideoAnnotation]: None when the entry as a whole cannot be used; an
            annotation that cannot be used is left out. Either way :attr:`problems` says so.
        """
        before = len(self.problems)
        video = self.timing(name, entry)
        annotations = entry.get('annotations') if isinstance(entry, dict) else []
        if annotations is None and not self.require_annotations:
            annotations = []
        if not isinstance(annotations, list):
            missing = 'annotations' not in entry
            self.note(name, 'annotations', 'is missing' if missing else
                      f'must be a list, got {type(annotations).__name__}')
        if len(self.problems) > before:
            return None
        ignored = [a['label'] for a in annotations if self._is_ignored(a)]
        pairs = [self._annotation(name, video.duration, i, a) for i, a in enumerate(annotations)
                 if not self._is_ignored(a)]
        pairs = [pair for pair in pairs if pair is not None]
        video.ignored = dict(Counter(ignored))
        video.segments = np.array([p[0] for p in pairs], dtype=np.float64).reshape(-1, 2)
        video.labels = np.array([p[1] for p in pairs], dtype=np.int64)
        return video

    def timing(self, name: str, entry: Any) -> Optional[VideoAnnotation]:
        """Check one entry of the database, its annotations left aside, as inference needs it.

        Args:
            name (str): Its key.
            entry: Its value, of any type.

        Returns:
            Optional[VideoAnnotation]: Without segments; None when it cannot be used, and
            :attr:`problems` says why.
        """
        if not isinstance(entry, dict):
            self.note(name, 'entry', f'must be an object, got {type(entry).__name__}')
            return None
        before = len(self.problems)
        for key in getattr(entry, 'duplicates', ()):
            self.note(name, key, 'field given twice')
        if self.for_evaluation and entry.get('duration') is None:
            duration = math.nan
        else:
            duration = self._positive(name, entry, 'duration')
        fps, stride, window = self._timing(name, entry)
        subset = entry.get('subset')
        if subset is not None and not isinstance(subset, str):
            self.note(name, 'subset', f'must be a string, got {shown(subset)}')
        if len(self.problems) > before:
            return None
        return VideoAnnotation(
            video_name=name, subset=subset or '', duration=float(duration), fps=float(fps),
            stride=stride, window=window, segments=np.zeros((0, 2)),
            labels=np.zeros(0, dtype=np.int64))

    def _timing(self, name: str, entry: dict) -> tuple:
        """fps, feature stride and feature window of an entry; for evaluation none is judged."""
        if self.for_evaluation:
            return math.nan, None, None
        if name in self.rates or self.fps is not None:
            fps = self.rates.get(name, self.fps)
        elif 'fps' not in entry and self.default_fps is not None:
            fps = self.default_fps
        else:
            fps = self._positive(name, entry, 'fps')
        stride, window = (self._positive(name, entry, key) if key in entry else None
                          for key in ('feature_stride', 'feature_window'))
        return fps, stride, window

    def _is_ignored(self, annotation: Any) -> bool:
        label = annotation.get('label') if isinstance(annotation, dict) else None
        return isinstance(label, str) and label in self.ignored_labels

    def _number(self, value: Any) -> Any:
        return without_quotes(value) if self.for_evaluation else value

    def _positive(self, name: str, entry: dict, key: str) -> Optional[float]:
        if key not in entry:
            self.note(name, key, 'is missing')
            return None
        value = self._number(entry[key])
        why = number_problem(value)
        if why is None and value <= 0:
            why = f'must be positive, got {value}'
        if why is not None:
            self.note(name, key, why)
            return None
        return float(value)

    def _annotation(self, name: str, duration: float, position: int,
                    annotation: Any) -> Optional[tuple[tuple[float, float], int]]:
        """One checked annotation as (segment, label), or None."""
        field = f'annotations[{position}]'
        if not isinstance(annotation, dict):
            self.note(name, field, f'must be an object, got {type(annotation).__name__}')
            return None
        before = len(self.problems)
        for key in getattr(annotation, 'duplicates', ()):
            self.note(name, f'{field}.{key}', 'field given twice')
        segment = self._segment(name, f'{field}.segment', duration, annotation)
        label = self._label(name, field, annotation)
        return None if len(self.problems) > before else (segment, label)

    def _segment(self, name: str, field: str, duration: float,
                 annotation: dict) -> Optional[tuple[float, float]]:
        segment = annotation.get('segment')
        if segment is None:
            self.note(name, field, 'is missing')
            return None
        if not isinstance(segment, list) or len(segment) != 2:
            self.note(name, field, f'must be a list [start, end] in seconds, got {shown(segment)}')
            return None
        segment = [self._number(value) for value in segment]
        for value in segment:
            why = number_problem(value)
            if why is not None:
                self.note(name, field, why)
                return None
        start, end = map(float, segment)
        if end < start or (end == start and not self.allow_empty):
            self.note(name, field, f'end {end:g} s is not after start {start:g} s')
        elif name not in self.exempt_videos and not self.for_evaluation:
            if start < -self.duration_tolerance:
                self.note(name, field, f'starts at {start:g} s, before the video')
            if end > duration + self.duration_tolerance:
                self.note(
                    name, field, f'end {end:g} s is beyond the duration {duration:g} s '
                    f'(tolerance {self.duration_tolerance:g} s)')
        return start, end

    def _label(self, name: str, field: str, annotation: dict) -> Optional[int]:
        label = annotation.get('label')
        if label is None:
            self.note(name, f'{field}.label', 'is missing')
            return None
        if not isinstance(label, str):
            self.note(name, f'{field}.label', f'must be a string, got {shown(label)}')
            return None
        if label not in self.index:
            self.note(name, f'{field}.label',
                      f'unknown label {shown(label)}, not among the {len(self.index)} classes '
                      f'({nearest(label, tuple(self.index))})')
            return None
        if self.check_label_id and 'label_id' in annotation:
            label_id = annotation['label_id']
            if isinstance(label_id, bool) or not isinstance(label_id, int):
                self.note(name, f'{field}.label_id', f'must be an integer, got {shown(label_id)}')
            elif label_id != self.index[label]:
                self.note(
                    name, f'{field}.label_id', f'is {shown(label_id)}, but {label!r} is class '
                    f'{self.index[label]} of the dataset (reorder the classes, or set '
                    'check_label_id=False to go by the names)')
        return self.index[label]
