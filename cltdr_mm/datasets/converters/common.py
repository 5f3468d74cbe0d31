"""What all converters share: whole files or none, and annotations that were checked."""
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Optional

import numpy as np

from ...utils import Problem, TALDataError, atomic_path, name_problem
from ..annotations import load_annotations

ANNOTATIONS = 'annotations.json'  # of the data sets that are written whole, beside features/


@contextmanager
def whole_folder(out_dir: str) -> Iterator[str]:
    """Give a temporary folder, the files of which go to ``out_dir`` when all of them are written.

    Args:
        out_dir (str): Where they shall be, beside what is there already; the annotation file comes
            last. Whatever interrupts the writing leaves this folder as it was.

    Yields:
        str: A folder on the same disk.

    Raises:
        TALDataError: If ``out_dir`` is a file.
    """
    target = Path(out_dir).absolute()
    if target.exists() and not target.is_dir():
        raise TALDataError.of('writing a data set', out_dir, 'folder', 'is a file')
    there = next(folder for folder in (target, *target.parents) if folder.exists())
    temporary = Path(tempfile.mkdtemp('.part', f'.{target.name}', there))
    try:
        yield str(temporary)
        files = [path for path in sorted(temporary.rglob('*')) if path.is_file()]
        for path in sorted(files, key=lambda path: path.name == ANNOTATIONS):
            place = target / path.relative_to(temporary)
            place.parent.mkdir(parents=True, exist_ok=True)
            os.replace(path, place)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def refuse_other_features(out_dir: str, videos: Iterable[str]) -> None:
    """Refuse a folder whose features would not all be replaced, for sets must not mix.

    Args:
        out_dir (str): Folder of the data set.
        videos (Iterable[str]): All of the new one.

    Raises:
        TALDataError: If there are features of another video.
    """
    folder = Path(out_dir, 'features')
    there = {path.relative_to(folder).with_suffix('').as_posix()
             for path in folder.rglob('*.npy')}
    others = sorted(there - set(videos))
    if others:
        raise TALDataError.of('writing a data set', folder, 'folder', f'has features of '
                              f'{len(others)} videos of another set, such as {others[0]!r}; '
                              'take another folder, or remove them')


def save_feature(folder: str, video: str, array: np.ndarray) -> None:
    """Write a feature file, ``<folder>/<video>.npy``.

    Args:
        folder (str): Where to; missing folders are made.
        video (str): Name of the video, with sub-folders if it has some.
        array (np.ndarray): (T, C).

    Raises:
        TALDataError: If the name would leave the folder.
    """
    why = name_problem(video)
    if why is not None:
        raise TALDataError.of('writing features', folder, 'video name', why, video)
    with atomic_path(os.path.join(folder, f'{video}.npy')) as temporary:
        np.save(temporary, array)


def save_annotations(path: str,
                     database: dict,
                     classes: Sequence[str],
                     version: str,
                     duration_tolerance: float = 0.1,
                     exempt_videos: Sequence[str] = (),
                     default_fps: Optional[float] = None,
                     source: Optional[str] = None) -> None:
    """Check an annotation file as a dataset would, then write it atomically.

    Args:
        path (str): Where the JSON file shall be.
        database (dict): Entries by video, see :mod:`cltdr_mm.datasets.annotations`.
        classes (Sequence[str]): Class names, in the order of the labels.
        version (str): Free text that tells what was converted.
        duration_tolerance (float): As in :class:`TALDataset`. Defaults to 0.1.
        exempt_videos (Sequence[str]): As in :class:`TALDataset`. Defaults to ().
        default_fps (float, optional): As in :class:`TALDataset`. Defaults to None.
        source (str, optional): The file or files that it was made of, for errors. Defaults to
            None: ``path``.

    Raises:
        TALDataError: If there is no entry, or one does not pass; nothing is written then.
    """
    source = source or path
    title = 'converting'
    if not database:
        raise TALDataError.of(title, source, 'database', 'there is no video')
    content = dict(version=version, classes=list(classes), database=database)
    with atomic_path(path) as temporary:
        with open(temporary, 'w', encoding='utf-8') as file:
            json.dump(content, file)
        _, found, _ = load_annotations(
            temporary, classes, duration_tolerance=duration_tolerance,
            exempt_videos=exempt_videos, default_fps=default_fps, require_annotations=False)
        problems = [Problem(source, p.video, p.field, p.message) for p in found]
        for name, entry in () if problems else database.items():
            if not isinstance(entry.get('subset'), str):
                problems.append(Problem(source, name, 'subset', 'is missing'))
            try:  # what is not looked at is written, too
                json.dumps(entry, allow_nan=False)
            except ValueError:
                problems.append(Problem(source, name, 'entry', 'holds NaN or infinity'))
        if problems:
            raise TALDataError(problems, title)


def counts(database: dict) -> dict:
    """Videos and annotations of each subset.

    Args:
        database (dict): Entries by video.

    Returns:
        dict: ``{subset: (videos, annotations)}``.
    """
    result: dict = {}
    for entry in database.values():
        videos, annotations = result.get(entry['subset'], (0, 0))
        result[entry['subset']] = (videos + 1, annotations + len(entry.get('annotations') or ()))
    return result


def summary(path: str, database: dict, left_out: Sequence[str] = ()) -> str:
    """Text a converter prints when it is done.

    Args:
        path (str): What was written.
        database (dict): Entries by video.
        left_out (Sequence[str]): What was read and not written, with the reason.

    Returns:
        str: Several lines.
    """
    lines = [f'wrote {path}']
    lines += [f'  {subset}: {videos} videos, {annotations} annotations'
              for subset, (videos, annotations) in sorted(counts(database).items())]
    if left_out:
        lines.append(f'  left out {len(left_out)}:')
        lines += [f'    {item}' for item in left_out]
    return '\n'.join(lines)
