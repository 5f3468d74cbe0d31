"""Result files in ActivityNet's submission layout: reading with every check, writing whole.

::

    {"version": "VERSION 1.3", "external_data": {},
     "results": {"<video>": [{"label": "Diving", "segment": [1.0, 3.5], "score": 0.9}]}}

Segments are in seconds; a label is a class name, or the class's ``label_id``.
"""
import json
import os
import tempfile
from dataclasses import dataclass
from typing import Any, Union

import numpy as np

from ..datasets.json_files import keep_duplicates, number_problem, read_json, shown
from ..datasets.problems import MAX_SHOWN, Problem, TALDataError
from .structures import Detections, GroundTruth

ACTIONS = ('keep', 'drop', 'error')


@dataclass
class ResultFile:
    """Detections of a result file, and what in it has no counterpart in the ground truth.

    Args:
        detections (Detections): In the file's order.
        videos (frozenset[str]): Videos that the file lists, with detections or without.
        unknown_videos (dict[str, int]): Detections by video that is not part of the subset.
        unknown_labels (dict[str, int]): Detections left out by label that is no class.
    """

    detections: Detections
    videos: frozenset
    unknown_videos: dict[str, int]
    unknown_labels: dict[str, int]


class _Reader:
    """Collects detections and problems; see :func:`read_results`."""

    def __init__(self, path: str, ground_truth: GroundTruth, drop_unknown_labels: bool):
        self.path = path
        self.index = {name: i for i, name in enumerate(ground_truth.classes)}
        self.label_ids = ground_truth.label_ids
        # for a writer that turned ids into text
        self.id_texts = {str(i): label for i, label in self.label_ids.items()}
        self.drop_unknown_labels = drop_unknown_labels
        self.problems: list[Problem] = []
        self.unknown_labels: dict[str, int] = {}

    def note(self, video: str, position: int, field: str, message: str) -> None:
        """Add a problem with detection number ``position`` of a video."""
        field = f'results[{position}].{field}' if field else f'results[{position}]'
        self.problems.append(Problem(self.path, video, field, message))

    def label(self, label: Any) -> int:
        """Position among the classes; -1 when it is none of them."""
        if isinstance(label, str):
            return self.index.get(label, self.id_texts.get(label, -1))
        if isinstance(label, bool) or not isinstance(label, int):
            return -1
        return self.label_ids.get(label, -1)

    def video(self, name: str, entries: Any) -> list[tuple[float, float, float, int]]:
        """(start, end, score, label) of a video's usable detections."""
        if not isinstance(entries, list):
            self.problems.append(
                Problem(self.path, name, 'results',
                        f'must be a list, got {type(entries).__name__}'))
            return []
        rows = []
        for i, entry in enumerate(entries):
            row = self._detection(name, i, entry)
            if row is not None:
                rows.append(row)
        return rows

    def _detection(self, video: str, i: int, entry: Any):
        if not isinstance(entry, dict):
            return self.note(video, i, '', f'must be an object, got {type(entry).__name__}')
        twice = getattr(entry, 'duplicates', ())
        if twice:
            return self.note(video, i, twice[0], 'field given twice')
        for field in ('segment', 'score', 'label'):
            if field not in entry:
                return self.note(video, i, field, 'is missing')
        segment, score = entry['segment'], entry['score']
        if not isinstance(segment, (list, tuple)) or len(segment) != 2:
            return self.note(video, i, 'segment',
                             f'must be [start, end] in seconds, got {shown(segment)}')
        for field, value in (('segment', segment[0]), ('segment', segment[1]), ('score', score)):
            why = number_problem(value)
            if why is not None:
                return self.note(video, i, field, why)
        if segment[1] < segment[0]:
            return self.note(video, i, 'segment',
                             f'end {segment[1]:g} s is before start {segment[0]:g} s')
        label = self.label(entry['label'])
        if label < 0:
            if not self.drop_unknown_labels:
                return self.note(video, i, 'label', f'unknown label {shown(entry["label"])}, not '
                                 f'among the {len(self.index)} classes of the annotations')
            key = entry['label'] if isinstance(entry['label'], str) else shown(entry['label'])
            self.unknown_labels[key] = self.unknown_labels.get(key, 0) + 1
            return None
        return segment[0], segment[1], score, label


def read_results(path: str,
                 ground_truth: GroundTruth,
                 unknown_videos: str = 'keep',
                 unknown_labels: str = 'error') -> ResultFile:
    """Read and check a result file.

    Args:
        path (str): JSON file, compressed when it ends in ``.gz``.
        ground_truth (GroundTruth): Whose classes and videos the detections refer to.
        unknown_videos (str): What to do with detections of videos that are not part of the
            subset: ``'keep'`` them as false positives, as the published evaluators do,
            ``'drop'`` them, or ``'error'``. Defaults to ``'keep'``.
        unknown_labels (str): What to do with labels that are no class of the annotations:
            ``'drop'`` or ``'error'``. Defaults to ``'error'``.

    Returns:
        ResultFile: See there.

    Raises:
        TALDataError: If the file cannot be read, or a detection is malformed: naming file,
            video and field.
        ValueError: If an argument is none of the words above.
    """
    if unknown_videos not in ACTIONS:
        raise ValueError(f'unknown_videos must be one of {ACTIONS}, got {unknown_videos!r}')
    if unknown_labels not in ACTIONS[1:]:
        raise ValueError(f'unknown_labels must be one of {ACTIONS[1:]}, got {unknown_labels!r}')
    path = str(path)
    results = _load(path)
    index = {name: i for i, name in enumerate(ground_truth.video_names)}
    reader = _Reader(path, ground_truth, unknown_labels == 'drop')
    rows, videos, strangers = [], [], {}
    for name, entries in results.items():
        known = name in index
        if not known and unknown_videos == 'error':
            reader.problems.append(
                Problem(path, name, 'results', f"is no video of subset '{ground_truth.subset}' of "
                        f'{ground_truth.ann_file}'))
            continue
        found = reader.video(name, entries)
        if not known:
            strangers[name] = len(found)
            if unknown_videos == 'drop':
                continue
        rows += found
        video = index[name] if known else len(index) + len(strangers) - 1
        videos += [video] * len(found)
        if len(reader.problems) > 10 * MAX_SHOWN:
            break
    if reader.problems:
        raise TALDataError(reader.problems, 'result file')
    table = np.array([row[:3] for row in rows], dtype=np.float64).reshape(-1, 3)
    detections = Detections(
        segments=table[:, :2].copy(), scores=table[:, 2].copy(),
        labels=np.array([row[3] for row in rows], dtype=np.int64),
        videos=np.array(videos, dtype=np.int64))
    return ResultFile(detections, frozenset(results), strangers, reader.unknown_labels)


def _load(path: str) -> dict:
    """The ``results`` of a file; raises TALDataError when there are none to be had."""

    def stop(field: str, message: str) -> TALDataError:
        return TALDataError([Problem(path, None, field, message)], 'result file')
    content = read_json(path, 'result file', keep_duplicates)
    if 'results' not in content:
        raise stop('results', f'is missing; the file has {sorted(content)[:10]}')
    if not isinstance(content['results'], dict):
        raise stop('results', 'must be an object with one list of detections a video, got '
                   f'{type(content["results"]).__name__}')
    for twice in (getattr(content, 'duplicates', ()) or
                  getattr(content['results'], 'duplicates', ())):
        raise stop('results', f'{twice!r} is given twice')
    return content['results']


def results_of(detections: Detections, ground_truth: GroundTruth, labels: bool = True) -> dict:
    """Detections in ActivityNet's submission layout.

    Args:
        detections (Detections): Of videos of the subset only.
        ground_truth (GroundTruth): For names of videos and classes.
        labels (bool): Whether to say their classes; the layout of the proposal task has none.
            Defaults to True.

    Returns:
        dict: Ready for :func:`write_json`. Every video of the subset is listed, in the
        annotation file's order; its detections keep their order.
    """
    results: dict[str, list] = {name: [] for name in ground_truth.video_names}
    columns = zip(detections.segments.tolist(), detections.scores.tolist(),
                  detections.labels.tolist(), detections.videos.tolist())
    for segment, score, label, video in columns:
        own = dict(label=ground_truth.classes[label]) if labels else {}
        results[ground_truth.video_names[video]].append(dict(own, segment=segment, score=score))
    return dict(version='VERSION 1.3', results=results, external_data={})


def write_json(content: Any, path: Union[str, os.PathLike]) -> None:
    """Write a JSON file that is there completely or not at all.

    Args:
        content: What ``json.dump`` takes, without NaN.
        path (str or os.PathLike): Where to; missing folders are made.

    Raises:
        ValueError: If ``content`` holds NaN, which is no JSON.
        OSError: If the file cannot be written.
    """
    path = os.fspath(path)
    folder = os.path.dirname(os.path.abspath(path))
    os.makedirs(folder, exist_ok=True)
    text = json.dumps(content, allow_nan=False)
    umask = os.umask(0)
    os.umask(umask)
    handle, part = tempfile.mkstemp(prefix='.', suffix='.part', dir=folder)
    try:
        with os.fdopen(handle, 'w', encoding='utf-8') as file:
            file.write(text)
        os.chmod(part, 0o666 & ~umask)  # mkstemp makes files that only their owner reads
        os.replace(part, path)
    except BaseException:
        os.unlink(part)
        raise
