"""Detections of a result file as arrays, in terms of a ground truth, and back."""
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Optional, Union

import numpy as np

from ..utils import Problem, TALDataError, matching_name, read_result_file, result_content
from ..utils.json_files import nearest, shown
from .structures import IGNORED, Detections, GroundTruth

ACTIONS = ('keep', 'drop', 'error')


@dataclass
class ResultFile:
    """Detections of a result file, and what in it has no counterpart in the ground truth.

    Args:
        detections (Detections): In the file's order.
        videos (frozenset[str]): Videos that the file lists, with detections or without.
        unknown_videos (dict[str, int]): Detections by video that is not part of the subset.
        unknown_labels (dict[str, int]): Detections left out by label that is no class.
        ignored_labels (dict[str, int]): Detections left out by label that the protocol ignores.
    """

    detections: Detections
    videos: frozenset[str]
    unknown_videos: dict[str, int]
    unknown_labels: dict[str, int]
    ignored_labels: dict[str, int]

    @property
    def remarks(self) -> list[str]:
        """list[str]: Sentences on detections left out for their label."""
        lines = [f"{count} detections labelled '{label}' are left out: it is no class"
                 for label, count in self.ignored_labels.items()]
        if self.unknown_labels:
            lines.append(f'{sum(self.unknown_labels.values())} detections of unknown labels are '
                         'left out')
        return lines

def read_results(path: Union[str, Path],
                 ground_truth: GroundTruth,
                 unknown_videos: str = 'keep',
                 unknown_labels: str = 'error') -> ResultFile:
    """Read and check a result file.

    Args:
        path (str or Path): See :func:`.read_result_file`.
        ground_truth (GroundTruth): Whose classes and videos the detections refer to.
        unknown_videos (str): What to do with detections of videos that are not part of the
            subset: ``'keep'`` them as false positives, as the published evaluators do,
            ``'drop'`` them, or ``'error'``. Defaults to ``'keep'``.
        unknown_labels (str): What to do with labels that are no class of the annotations:
            ``'drop'`` or ``'error'``. Defaults to ``'error'``.

    Returns:
        ResultFile: See there.

    Raises:
        TALDataError: If the file cannot be read, a detection is malformed, naming file, video and
            field, or they are proposals, without labels.
        ValueError: If an argument is none of the words above.
    """
    if unknown_videos not in ACTIONS:
        raise ValueError(f'unknown_videos must be one of {ACTIONS}, got {unknown_videos!r}')
    if unknown_labels not in ACTIONS[1:]:
        raise ValueError(f'unknown_labels must be one of {ACTIONS[1:]}, got {unknown_labels!r}')
    index = {name: i for i, name in enumerate(ground_truth.video_names)}
    results = _known_forms(read_result_file(path), index)
    labels = _Labels(str(path), ground_truth, drop_unknown=unknown_labels == 'drop')
    rows, videos, strangers = [], [], {}
    for name, entries in results.items():
        if name not in index and unknown_videos == 'error':
            labels.problems.append(
                Problem(str(path), name, 'results', f"is no video of subset '{ground_truth.subset}'"
                        f' of {ground_truth.ann_file}'))
            continue
        known = labels.rows(name, entries)
        if name not in index:
            strangers[name] = len(known)
            if unknown_videos == 'drop':
                continue
        rows += known
        # videos outside the subset are numbered on
        videos += [index.get(name, len(index) + len(strangers) - 1)] * len(known)
    if labels.problems:
        raise TALDataError(labels.problems, 'result file')
    table = np.array([row[:3] for row in rows], dtype=np.float64).reshape(-1, 3)
    detections = Detections(
        segments=table[:, :2].copy(), scores=table[:, 2].copy(),
        labels=np.array([row[3] for row in rows], dtype=np.int64),
        videos=np.array(videos, dtype=np.int64))
    return ResultFile(detections, frozenset(results), strangers, dict(labels.unknown),
                      dict(labels.ignored))


def _known_forms(results: dict[str, list], index: dict[str, int]) -> dict[str, list]:
    """The results by the ground truth's spelling of videos that differ in the Unicode form only."""
    known: dict[str, list] = {}
    for name, entries in results.items():
        try:
            match = matching_name(name, index)
        except ValueError:  # the ground truth has both: neither is meant
            match = None
        if match is None or match in results or match in known:
            match = name
        known[match] = entries
    return known


class _Labels:
    """Turns labels into positions among the classes; counts those that are none of them."""

    def __init__(self, path: str, ground_truth: GroundTruth, drop_unknown: bool):
        self.path = path
        self.classes = ground_truth.classes
        self.drop_unknown = drop_unknown
        self.by_id = ground_truth.label_ids
        # ids as text are for writers that turned them into it; a class of that name goes first
        self.by_text = {str(i): position for i, position in self.by_id.items()}
        self.by_text.update(dict.fromkeys(ground_truth.ignored, IGNORED))
        self.by_text.update((name, i) for i, name in enumerate(ground_truth.classes))
        self.problems: list[Problem] = []
        self.unknown: Counter = Counter()
        self.ignored: Counter = Counter()

    def rows(self, video: str, entries: list[dict]) -> list[tuple[float, float, float, int]]:
        """(start, end, score, label) of a video's entries whose label is a class."""
        rows = []
        for i, entry in enumerate(entries):
            label = entry['label']
            position = self._position(label)
            text = label if isinstance(label, str) else shown(label)
            if position == IGNORED:
                self.ignored[text] += 1
            elif position is not None:
                rows.append((*entry['segment'], entry['score'], position))
            elif self.drop_unknown:
                self.unknown[text] += 1
            else:
                label = shown(entry['label'])
                self.problems.append(
                    Problem(self.path, video, f'results[{i}].label', f'unknown label {label}, not '
                            f'among the {len(self.classes)} classes of the annotations '
                            f'({nearest(label, self.classes)})'))
        return rows

    def _position(self, label: object) -> Optional[int]:
        """Position among the classes, IGNORED, or None where the label is none."""
        if isinstance(label, str):
            return self.by_text.get(label)
        if isinstance(label, bool) or not isinstance(label, int):
            return None
        return self.by_id.get(label)


def results_of(detections: Detections,
               ground_truth: GroundTruth,
               labels: bool = True,
               video_names: Optional[Sequence[str]] = None) -> dict:
    """Detections in ActivityNet's submission layout.

    Args:
        detections (Detections): What was found; NaN and infinity, which JSON does not have, are
            left out.
        ground_truth (GroundTruth): For names of videos and classes; a label that is no class is
            written as its number.
        labels (bool): Whether to say their classes; the layout of the proposal task has none.
            Defaults to True.
        video_names (Sequence[str], optional): Names of all videos, those outside the subset too.
            Defaults to None: those of the subset.

    Returns:
        dict: See :func:`.result_content`. Every video is listed, in the order of the names; its
        detections keep their order.
    """
    names = ground_truth.video_names if video_names is None else video_names
    classes = dict(enumerate(ground_truth.classes))
    results: dict[str, list] = {name: [] for name in names}
    detections = detections.select(detections.finite)
    columns = zip(detections.segments.tolist(), detections.scores.tolist(),
                  detections.labels.tolist(), detections.videos.tolist())
    for segment, score, label, video in columns:
        own = dict(label=classes.get(label, label)) if labels else {}
        results[names[video]].append(dict(own, segment=segment, score=score))
    return result_content(results)
