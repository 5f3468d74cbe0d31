"""Reads what timelines are drawn from: result files, annotation files, signals."""
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Optional, Union

import numpy as np

from ..datasets.json_files import read_json
from .layout import Instances
from .timeline import Track

PathLike = Union[str, Path]


class TimelineSource:
    """The videos of a result file with their ground truth.

    Args:
        annotations (str | Path, optional): Annotation file in ActivityNet's layout, from which
            ground truth, durations and class names come. Defaults to None.
        results (str | Path, optional): Result file in ActivityNet's layout. Defaults to None.
        classes (Sequence[str], optional): Order of classes. Defaults to None: that of
            ``label_id`` in the annotation file, otherwise alphabetic.

    Raises:
        ValueError: If neither file is given, or one lacks its main field.
    """

    def __init__(self, annotations: Optional[PathLike] = None, results: Optional[PathLike] = None,
                 classes: Optional[Sequence[str]] = None):
        if annotations is None and results is None:
            raise ValueError('neither annotations nor results to draw')
        self.annotation_file, self.result_file = annotations, results
        self.database = _field(annotations, 'database') if annotations is not None else {}
        self.results = _field(results, 'results') if results is not None else None
        self.classes = list(classes) if classes is not None else self._find_classes()
        self._index = {name: i for i, name in enumerate(self.classes)}

    def _find_classes(self) -> list:
        order = {}
        for video in self.database.values():
            for a in video.get('annotations') or ():
                order.setdefault(str(a.get('label')), a.get('label_id'))
        for detections in (self.results or {}).values():
            for d in detections:
                order.setdefault(str(d.get('label')), None)
        return sorted(order, key=lambda n: (order[n] is None,
                                            order[n] if order[n] is not None else 0, n))

    def choose(self, num: int) -> list:
        """Pick videos spread evenly over the sorted names; those with results if there are any."""
        names = sorted(self.results if self.results is not None else self.database)
        if self.results is not None and self.database:
            names = [n for n in names if n in self.database] or names
        if len(names) <= num:
            return names
        return [names[i] for i in np.linspace(0, len(names) - 1, num).round().astype(int)]

    def load(self, name: str) -> tuple:
        """Load one video.

        Args:
            name (str): The video.

        Returns:
            tuple[Optional[Instances], Optional[Instances], Optional[float]]: Ground truth,
            detections and duration in seconds, None where the files do not have it.

        Raises:
            KeyError: If no file has the video.
            ValueError: If one of its entries cannot be used; names file, video and field.
        """
        if name not in self.database and name not in (self.results or {}):
            files = ' nor '.join(str(f) for f in (self.annotation_file, self.result_file) if f)
            raise KeyError(f'video {name} is in neither {files}')
        truth = found = duration = None
        if name in self.database:
            entry = self.database[name]
            truth = self._instances(self.annotation_file, name, entry.get('annotations') or [])
            try:
                duration = float(entry['duration']) if entry.get('duration') is not None else None
            except (TypeError, ValueError, OverflowError):
                raise ValueError(f'{self.annotation_file}: {name}: field "duration" is no number: '
                                 f'{entry["duration"]!r}') from None
        if self.results is not None:
            found = self._instances(self.result_file, name, self.results.get(name, []), True)
        return truth, found, duration

    def _instances(self, file, name, entries, scored=False) -> Instances:
        segments, labels, scores = [], [], []
        for i, entry in enumerate(entries):
            for field, convert in (('segment', _segment), ('label', self._label),
                                   ('score', float))[:3 if scored else 2]:
                try:
                    value = convert(entry[field])
                except (KeyError, TypeError, ValueError, OverflowError) as error:
                    raise ValueError(f'{file}: {name}: entry {i}: field "{field}" cannot be used: '
                                     f'{error.__class__.__name__}: {error}') from error
                {'segment': segments, 'label': labels, 'score': scores}[field].append(value)
        try:
            return Instances(np.asarray(segments, dtype=np.float64), labels,
                             scores if scored else None)
        except ValueError as error:
            raise ValueError(f'{file}: {name}: {error}') from error

    def _label(self, label) -> int:
        if str(label) not in self._index:
            raise ValueError(f'{label!r} is none of the classes')
        return self._index[str(label)]


def load_signal(source: PathLike, video: str, rate: float, name: str = 'signal') -> Track:
    """Load a sensor's signal of one video.

    Args:
        source (str | Path): Folder or zip archive, searched for one file (``.npy``, ``.txt``,
            ``.csv``) whose name without its suffix is the video's or ends with ``_<video>``.
        video (str): The video.
        rate (float): Samples per second.
        name (str): What the signal is, with its unit. Defaults to ``'signal'``.

    Returns:
        Track: Of several channels the Euclidean norm.

    Raises:
        FileNotFoundError: If there is no such file, or more than one.
        ValueError: If the file holds no numbers.
    """
    source = Path(source)
    root = zipfile.Path(source) if source.is_file() else source
    files = [f for f in _walk(root) if Path(f.name).suffix in ('.npy', '.txt', '.csv')
             and (Path(f.name).stem == video or Path(f.name).stem.endswith(f'_{video}'))]
    if len(files) != 1:
        raise FileNotFoundError(f'{source}: {len(files) or "no"} signal files for video {video}'
                                f'{": " if files else ""}{", ".join(str(f) for f in files)}')
    try:
        with files[0].open('rb') as file:
            if Path(files[0].name).suffix == '.npy':
                values = np.load(file, allow_pickle=False)
            else:
                values = np.loadtxt(file, delimiter=',' if files[0].name.endswith('.csv') else None)
        values = np.asarray(values, dtype=np.float64)
    except (ValueError, TypeError) as error:
        raise ValueError(f'{files[0]}: no table of numbers: {error}') from error
    if values.ndim > 1:
        values = np.linalg.norm(values.reshape(len(values), -1), axis=1)
    return Track(np.arange(len(values)) / rate, values, name)


def _walk(folder):
    for entry in sorted(folder.iterdir(), key=lambda e: e.name):
        if entry.is_dir():
            yield from _walk(entry)
        else:
            yield entry


def _field(path, field) -> dict:
    content = read_json(path, 'timelines')
    if not isinstance(content.get(field), dict):
        raise ValueError(f'{path}: field "{field}" is missing or no object')
    return content[field]


def _segment(value) -> tuple:
    start, end = map(float, value)
    return start, end
