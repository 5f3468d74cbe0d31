"""Reads what timelines are drawn from: result files, annotation files, signals."""
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional, Union

import numpy as np

from ..datasets.annotations import file_classes, read_annotation_file
from ..utils import Problem, TALDataError, read_result_file
from ..utils.json_files import number_problem, shown
from ..utils.npy_files import read_npy, read_npz_member, refuse_size
from ..utils.result_files import entry_problem
from .layout import NO_CLASS, Instances
from .timeline import Track

PathLike = Union[str, Path]

_TITLE = 'timelines'


class TimelineSource:
    """The videos of a result file with their ground truth.

    Args:
        annotations (str | Path, optional): Annotation file in ActivityNet's layout, from which
            ground truth, durations and class names come. Defaults to None.
        results (str | Path, optional): Result file in ActivityNet's layout. Defaults to None.
        classes (Sequence[str], optional): Order of classes. Defaults to None: the annotation
            file's ``classes``, the others by ``label_id``, otherwise alphabetic.

    Raises:
        ValueError: If neither file is given.
        TALDataError: If one cannot be read, or a detection is malformed.
    """

    def __init__(self, annotations: Optional[PathLike] = None, results: Optional[PathLike] = None,
                 classes: Optional[Sequence[str]] = None):
        if annotations is None and results is None:
            raise ValueError('neither annotations nor results to draw')
        self.annotation_file, self.result_file = annotations, results
        self.content = {} if annotations is None else read_annotation_file(str(annotations))
        self.database = self.content.get('database', {})
        problems = [problem for name, entry in self.database.items()
                    for problem in self._shape_problems(name, entry)]
        if problems:
            raise TALDataError(problems, _TITLE)
        self.results = read_result_file(results, proposals=True) if results is not None else None
        self._names = self._names_by_id()
        self.classes = list(classes) if classes is not None else self._find_classes()
        self._index = {name: i for i, name in enumerate(self.classes)}

    def _shape_problems(self, name: str, entry: Any) -> list[Problem]:
        """What keeps an entry from being looked through; values are checked when it is drawn."""
        file = str(self.annotation_file)
        if not isinstance(entry, dict):
            return [Problem(file, name, 'entry', f'must be an object, got {type(entry).__name__}')]
        items = entry.get('annotations') or []
        if not isinstance(items, list):
            return [Problem(file, name, 'annotations', f'must be a list, got {shown(items)}')]
        return [Problem(file, name, f'annotations[{i}]', f'must be an object, got {shown(item)}')
                for i, item in enumerate(items) if not isinstance(item, dict)]

    def _find_classes(self) -> list:
        listed = list(file_classes(self.content, str(self.annotation_file)) or ())
        order = {}
        for video in self.database.values():
            for a in video.get('annotations') or ():
                label_id = a.get('label_id')
                order.setdefault(str(a.get('label')),
                                 label_id if number_problem(label_id) is None else None)
        for detections in (self.results or {}).values():
            for d in detections:
                if 'label' in d:
                    order.setdefault(self._name(d['label']), None)
        return listed + sorted(order.keys() - set(listed), key=lambda n: (
            order[n] is None, order[n] if order[n] is not None else 0, n))

    def _names_by_id(self) -> dict[int, str]:
        """Names of classes by ``label_id``, which a result file may have in their place."""
        names = dict(enumerate(file_classes(self.content, str(self.annotation_file)) or ()))
        for video in self.database.values():
            for a in video.get('annotations') or ():
                if isinstance(a.get('label_id'), int) and isinstance(a.get('label'), str):
                    names.setdefault(a['label_id'], a['label'])
        return names

    def _name(self, label: Any) -> str:
        """The class that a label means."""
        return str(self._names.get(label, label) if type(label) is int else label)

    def choose(self, num: int) -> list:
        """Pick videos spread evenly over the sorted names; those with results if there are any.

        Raises:
            ValueError: If ``num`` is not positive.
        """
        if num < 1:
            raise ValueError(f'the number of videos to draw must be positive, got {num}')
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
            TALDataError: If one of its entries cannot be used; names file, video and field.
        """
        if name not in self.database and name not in (self.results or {}):
            files = ' nor '.join(str(f) for f in (self.annotation_file, self.result_file) if f)
            raise KeyError(f'video {name} is in neither {files}')
        truth = detected = duration = None
        if name in self.database:
            entry = self.database[name]
            truth = self._truth(name, entry.get('annotations') or [])
            duration = entry.get('duration')
            why = None if duration is None else number_problem(duration)
            if why is not None:
                raise TALDataError.of(_TITLE, self.annotation_file, 'duration', why, name)
        if self.results is not None:
            entries = self.results.get(name, [])
            detected = self._instances(self.result_file, name, 'results', entries)
            detected.scores = np.array([entry['score'] for entry in entries], dtype=np.float64)
        return truth, detected, duration

    def _truth(self, name: str, entries: list) -> Instances:
        for i, entry in enumerate(entries):
            found = entry_problem(entry, ('segment', 'label'))
            if found is not None:
                raise TALDataError.of(_TITLE, self.annotation_file,
                                      f'annotations[{i}]{found[0]}', found[1], name)
        return self._instances(self.annotation_file, name, 'annotations', entries)

    def _instances(self, file: PathLike, name: str, field: str, entries: list) -> Instances:
        labels = [self._index.get(self._name(entry['label'])) if 'label' in entry else NO_CLASS
                  for entry in entries]
        if None in labels:
            i = labels.index(None)
            raise TALDataError.of(_TITLE, file, f'{field}[{i}].label',
                                  f'{entries[i]["label"]!r} is none of the classes', name)
        return Instances(np.array([entry['segment'] for entry in entries], dtype=np.float64),
                         labels)


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
        ValueError: If the source is neither of the two, the file holds no numbers, or the rate is
            not positive.
    """
    if not 0 < rate < np.inf:
        raise ValueError(f'the rate of a signal must be positive, got {rate}')
    source = Path(source)
    archive = None
    if source.is_file():
        try:
            archive = zipfile.ZipFile(source)
        except (OSError, NotImplementedError, ValueError, zipfile.BadZipFile) as error:
            raise TALDataError.of('signal', source, 'file', 'is neither a folder nor a zip archive '
                                  f'({error})') from error
    files = [f for f in _files(source, archive) if Path(f.name).suffix in ('.npy', '.txt', '.csv')
             and (Path(f.name).stem == video or Path(f.name).stem.endswith(f'_{video}'))]
    if len(files) != 1:
        raise FileNotFoundError(f'{source}: {len(files) or "no"} signal files for video {video}'
                                f'{": " if files else ""}{", ".join(str(f) for f in files)}')
    try:
        if archive is not None:
            info = archive.getinfo(files[0].at)
            refuse_size(info.file_size, info.compress_size)
        with files[0].open('rb') as file:
            if Path(files[0].name).suffix == '.npy':
                values = (read_npy(files[0]) if archive is None
                          else read_npz_member(archive, info))
            else:
                values = np.loadtxt(
                    file, delimiter=',' if files[0].name.endswith('.csv') else None, ndmin=2)
        if values.dtype.kind not in 'fiu' or not values.size:
            raise ValueError(f'{values.dtype} of shape {values.shape}')
        values = values.astype(np.float64).reshape(values.shape[0] if values.ndim else 1, -1)
    except Exception as error:  # whatever a damaged file makes numpy and zipfile raise
        raise TALDataError.of('signal', str(files[0]), 'file',
                              f'no table of numbers: {error}') from error
    with np.errstate(over='ignore'):
        values = values[:, 0] if values.shape[1] == 1 else np.linalg.norm(values, axis=1)
    if not np.isfinite(values).all():
        raise TALDataError.of('signal', str(files[0]), 'values', 'NaN, infinite or too large')
    return Track(np.arange(len(values)) / rate, values, name)


def _files(folder: Path,
           archive: Optional[zipfile.ZipFile]) -> list[Union[Path, zipfile.Path]]:
    """All files of an archive, if there is one, else of a folder, in order."""
    if archive is None:
        return sorted(path for path in folder.rglob('*') if path.is_file())
    return [zipfile.Path(archive, name) for name in sorted(archive.namelist())
            if not name.endswith('/')]
