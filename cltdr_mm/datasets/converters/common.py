"""What all converters share: whole files or none, and annotations that were checked."""
import csv
import json
from collections.abc import Sequence
from typing import Optional

import numpy as np

from ...utils import Problem, TALDataError, atomic_path
from ..annotations import load_annotations


def save_feature(path: str, array: np.ndarray) -> None:
    """Write a feature file atomically.

    Args:
        path (str): A path ending in ``.npy``.
        array (np.ndarray): (T, C).
    """
    with atomic_path(path) as temporary:
        np.save(temporary, array)


def save_annotations(path: str,
                     database: dict,
                     classes: Sequence[str],
                     version: str,
                     duration_tolerance: float = 0.1,
                     exempt_videos: Sequence[str] = (),
                     default_fps: Optional[float] = None) -> None:
    """Check an annotation file as a dataset would, then write it atomically.

    Args:
        path (str): Where the JSON file shall be.
        database (dict): Entries by video, see :mod:`cltdr_mm.datasets.annotations`.
        classes (Sequence[str]): Class names, in the order of the labels.
        version (str): Free text that tells what was converted.
        duration_tolerance (float): As in :class:`TALDataset`. Defaults to 0.1.
        exempt_videos (Sequence[str]): As in :class:`TALDataset`. Defaults to ().
        default_fps (float, optional): As in :class:`TALDataset`. Defaults to None.

    Raises:
        TALDataError: If an entry does not pass; nothing is written then.
    """
    content = dict(version=version, classes=list(classes), database=database)
    with atomic_path(path) as temporary:
        with open(temporary, 'w', encoding='utf-8') as file:
            json.dump(content, file)
        _, problems, _ = load_annotations(
            temporary, classes, duration_tolerance=duration_tolerance,
            exempt_videos=exempt_videos, default_fps=default_fps, require_annotations=False)
        if problems:
            problems = [Problem(path, p.video, p.field, p.message) for p in problems]
            raise TALDataError(problems, f'converting to {path}')


def read_csv(path: str, columns: Sequence[str]) -> list[dict]:
    """Read a CSV file with a header.

    Args:
        path (str): The file.
        columns (Sequence[str]): Columns it must have.

    Returns:
        list[dict]: One dict of strings per row.

    Raises:
        TALDataError: If it cannot be read or lacks a column.
    """
    try:
        with open(path, encoding='utf-8-sig', newline='') as file:
            reader = csv.DictReader(file)
            rows, names = list(reader), reader.fieldnames or []
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TALDataError.of('converter', path, 'file', f'cannot be read ({error})') from error
    missing = [name for name in columns if name not in names]
    if missing:
        raise TALDataError.of('converter', path, 'header',
                              f'lacks the column(s) {missing}; it has {names}')
    return rows


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
        result[entry['subset']] = (videos + 1, annotations + len(entry.get('annotations', ())))
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
