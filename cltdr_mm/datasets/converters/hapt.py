"""HAPT: UCI's raw accelerometer recordings to features and annotations.

Source of the data: Reyes-Ortiz et al., Neurocomputing 2015 (UCI repository, data set 341). As
temporal action localization, with raw windows for features: Bock et al., IMWUT 2024.
"""
import functools
import os.path as osp
import re
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from ...utils import TALDataError
from ...utils.json_files import shown
from ...utils.npy_files import refuse_size
from .common import ANNOTATIONS, counts, save_annotations, save_feature, whole_folder

FPS = 50  # samples per second
WINDOW, STRIDE = 50, 25  # samples
TEST_USERS = (2, 4, 9, 10, 12, 13, 18, 20, 24)  # UCI's own test people
RECORDINGS, SEGMENTS, TRAIN, TEST = 61, 1214, 42, 19
_RECORDING = re.compile(r'acc_exp(\d+)_user(\d+)\.txt', re.ASCII)
_bad = functools.partial(TALDataError.of, 'HAPT archive')


def _members(source: str) -> dict[str, Callable[[], str]]:
    """Text files of a zip archive or a folder: how to read each, by file name."""
    if osp.isdir(source):
        return _by_name(source, {path.relative_to(source).as_posix(): path.read_bytes
                                 for path in sorted(Path(source).rglob('*.txt'))})
    try:
        archive = zipfile.ZipFile(source)
    except (OSError, NotImplementedError, ValueError, zipfile.BadZipFile) as error:
        raise _bad(source, 'file', f'is neither a folder nor a zip archive ({error})') from error

    def member(info: zipfile.ZipInfo) -> bytes:
        refuse_size(info.file_size, info.compress_size)
        return archive.read(info)

    return _by_name(source, {info.filename: functools.partial(member, info)
                             for info in archive.infolist() if info.filename.endswith('.txt')})


def _by_name(source: str, files: dict[str, Callable[[], bytes]]) -> dict[str, Callable[[], str]]:
    """Readers of texts by name without folders, of files that are needed."""
    def reader(file: str, read: Callable[[], bytes]) -> Callable[[], str]:
        def text() -> str:
            try:
                return read().decode()
            except Exception as error:  # damage, a password, a method zipfile does not know
                raise _bad(f'{source}: {file}', 'file', f'cannot be read '
                            f'({type(error).__name__}: {error})') from error
        return text

    found = {}
    for file, read in files.items():
        name = osp.basename(file)
        if name not in ('labels.txt', 'activity_labels.txt') and not _RECORDING.fullmatch(name):
            continue
        if name in found:
            raise _bad(f'{source}: {file}', 'file', 'is there twice, in different folders')
        found[name] = reader(file, read)
    return found


@np.errstate(over='ignore')  # what is too large becomes infinite, and is refused
def _table(source: str, file: str, text: str, columns: int, dtype: type) -> np.ndarray:
    """Numbers of a text file, (rows, columns), a row a line."""
    bad = functools.partial(_bad, f'{source}: {file}')
    lines = [(i, line.split()) for i, line in enumerate(text.splitlines(), 1)]
    lines = [(i, cells) for i, cells in lines if cells]
    if not lines:
        raise bad('file', 'holds no numbers')
    for number, cells in lines:
        if len(cells) != columns:
            raise bad(f'line {number}', f'must be {columns} numbers, got {len(cells)}')
    try:
        table = np.array([cells for _, cells in lines], dtype=dtype)
    except (ValueError, OverflowError):
        table = None
    if table is not None and (dtype is int or np.isfinite(table).all()):
        return table
    for number, cells in lines:
        for column, cell in enumerate(cells, 1):
            try:
                good = np.isfinite(np.array(cell, dtype=dtype))
            except (ValueError, OverflowError):
                good = False
            if not good:
                kind = 'a whole number' if dtype is int else 'a finite number'
                raise bad(f'line {number}, column {column}', f'must be {kind}, got {shown(cell)}')
    raise bad('file', 'holds something that is no number')


def window_features(samples: np.ndarray, window: int = WINDOW, stride: int = STRIDE) -> np.ndarray:
    """Overlapping windows of a signal, flattened.

    Args:
        samples (np.ndarray): (n, axes) signal.
        window (int): Samples per window. Defaults to 50.
        stride (int): Samples between windows. Defaults to 25.

    Returns:
        np.ndarray: (T, window * axes) float32 with T = (n - window) // stride + 1; a row holds
        sample after sample, the axes of a sample side by side.

    Raises:
        ValueError: If the signal is shorter than a window.
    """
    if len(samples) < window:
        raise ValueError(f'{len(samples)} samples are less than a window of {window}')
    views = np.lib.stride_tricks.sliding_window_view(samples, window, axis=0)[::stride]
    return np.ascontiguousarray(views.transpose(0, 2, 1), dtype=np.float32).reshape(len(views), -1)


def convert_hapt(source: str, out_dir: str, partial: bool = False,
                 validation_users: Sequence[int] = ()) -> dict:
    """Convert the raw archive.

    Writes ``features/expXX_userYY.npy`` ((T, 150) float32) and ``annotations.json`` with subsets
    ``train`` (21 people) and ``test`` (UCI's nine test people); training people can be set apart
    as ``validation``. Labels give first and last sample, both included and counted from 1: a
    segment is ``[(first - 1) / 50, last / 50]`` seconds.

    Args:
        source (str): Zip archive or folder with ``RawData/acc_exp*_user*.txt``,
            ``RawData/labels.txt`` and ``activity_labels.txt``.
        out_dir (str): Folder to write to.
        partial (bool): Whether to accept less than the published 61 recordings with 1,214
            segments. Defaults to False.
        validation_users (Sequence[int]): Training people whose recordings make up the subset
            ``validation``. Defaults to none.

    Returns:
        dict: The database of the annotation file.

    Raises:
        TALDataError: If something is missing, damaged or not as published, or one of
            ``validation_users`` is not among the training people.
    """
    members = _members(source)
    for name in ('labels.txt', 'activity_labels.txt'):
        if name not in members:
            raise _bad(source, name, 'is missing')
    classes = _class_names(source, members['activity_labels.txt']())
    # experiment, user, activity, first sample, last sample
    labels = _table(source, 'labels.txt', members['labels.txt'](), 5, int)
    recordings = {name: tuple(int(number) for number in _RECORDING.fullmatch(name).groups())
                  for name in sorted(members) if _RECORDING.fullmatch(name)}
    train_users = {user for _, user in recordings.values()} - set(TEST_USERS)
    unknown = sorted(set(validation_users) - train_users)
    if unknown:
        raise _bad(source, 'validation', f'not among the training people: {unknown}')

    database = {}
    with whole_folder(out_dir) as folder:
        for file, (experiment, user) in recordings.items():
            samples = _table(source, file, members[file](), 3, np.float32)
            if len(samples) < WINDOW:
                raise _bad(f'{source}: {file}', 'file',
                           f'{len(samples)} samples are less than a window')
            name = osp.splitext(file)[0][len('acc_'):]
            rows = labels[(labels[:, 0] == experiment) & (labels[:, 1] == user)]
            database[name] = dict(
                subset='test' if user in TEST_USERS else
                'validation' if user in validation_users else 'train',
                duration=len(samples) / FPS, fps=float(FPS),
                annotations=_annotations(source, name, rows[:, 2:], classes))
            save_feature(osp.join(folder, 'features'), name, window_features(samples))
        _check_complete(source, database, len(labels), partial)
        save_annotations(osp.join(folder, ANNOTATIONS), database, classes, 'HAPT 2.1',
                         source=f'{source}: labels.txt')
    return database


def _class_names(source: str, text: str) -> list[str]:
    """Names of the activities, which ``activity_labels.txt`` numbers from 1."""
    rows = [line.split() for line in text.splitlines() if line.split()]
    if ([row[0] for row in rows] != [str(i + 1) for i in range(len(rows))] or not rows
            or any(len(row) != 2 for row in rows)):
        raise _bad(source, 'activity_labels.txt', 'must number the activities from 1, and name '
                   'each')
    names = [row[1] for row in rows]
    if len(set(names)) < len(names):
        raise _bad(source, 'activity_labels.txt', f'gives one name twice: {names}')
    return names


def _annotations(source: str, name: str, rows: np.ndarray, classes: list[str]) -> list[dict]:
    """Annotations of one recording from rows of activity, first and last sample."""
    if rows.size and not 1 <= rows[:, 0].min() <= rows[:, 0].max() <= len(classes):
        raise _bad(f'{source}: labels.txt', name, f'activities must be 1 to {len(classes)}')
    return [dict(segment=[(first - 1) / FPS, last / FPS], label=classes[activity - 1],
                 label_id=activity - 1)
            for activity, first, last in rows.tolist()]


def _check_complete(source: str, database: dict, num_labels: int, partial: bool) -> None:
    """Raise TALDataError if segments have no recording, or the archive lacks recordings."""
    subsets = counts(database)
    segments = sum(n for _, n in subsets.values())
    if segments < num_labels:
        raise _bad(source, 'labels.txt', f'{num_labels - segments} segments belong to no '
                   'recording of the archive')
    if segments > num_labels:
        raise _bad(source, 'recordings', 'two are of the same experiment and person')
    train = sum(subsets.get(subset, (0, 0))[0] for subset in ('train', 'validation'))
    got = (len(database), segments, train, subsets.get('test', (0, 0))[0])
    expected = (RECORDINGS, SEGMENTS, TRAIN, TEST)
    if got != expected and not partial:
        raise _bad(source, 'recordings', 'recordings, segments, for training, for test are '
                   f'{got}, published are {expected}: is the archive complete?')
