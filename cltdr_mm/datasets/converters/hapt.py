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

from ...utils import TALDataError, fold_file
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


def split_people(users: Sequence[int], folds: int, seed: int = 0) -> list[list[int]]:
    """Split people into folds at random, each into one.

    Args:
        users (Sequence[int]): The people, in any order.
        folds (int): Number of folds, 2 to the number of people.
        seed (int): The same seed gives the same folds. Defaults to 0.

    Returns:
        list[list[int]]: The people of each fold, sorted; sizes differ by one at most.

    Raises:
        ValueError: If there are too few or too many folds.
    """
    if not 2 <= folds <= len(users):
        raise ValueError(f'{len(users)} people make 2 to {len(users)} folds, got {folds}')
    order = np.random.default_rng(seed).permutation(sorted(users))
    return [sorted(fold.tolist()) for fold in np.array_split(order, folds)]


def convert_hapt(source: str, out_dir: str, partial: bool = False, folds: int = 0,
                 seed: int = 0, window: int = WINDOW, stride: int = STRIDE) -> dict:
    """Convert the raw archive.

    Writes ``features/expXX_userYY.npy`` ((T, 3 * window) float32) and ``annotations.json`` with
    subsets ``train`` (21 people) and ``test`` (UCI's nine test people). Labels give first and last
    sample, both included and counted from 1: a segment is ``[(first - 1) / 50, last / 50]`` s.

    Folds of the training people are for choosing between settings. ``annotations_fold<N>.json``
    has the people of one fold as ``validation``, the other training people as ``train``, and no
    test recording.

    Args:
        source (str): Zip archive or folder with ``RawData/acc_exp*_user*.txt``,
            ``RawData/labels.txt`` and ``activity_labels.txt``.
        out_dir (str): Folder to write to.
        partial (bool): Whether to accept less than the published 61 recordings with 1,214
            segments. Defaults to False.
        folds (int): Folds of the training people, see :func:`split_people`. Defaults to 0: none.
        seed (int): Of the folds. Defaults to 0.
        window (int): Samples of a feature step, of 20 ms each. Defaults to 50.
        stride (int): Samples between feature steps. Defaults to 25.

    Returns:
        dict: The database of ``annotations.json``.

    Raises:
        TALDataError: If something is missing, damaged or not as published, or if ``out_dir`` has
            files of more folds.
        ValueError: If so many folds cannot be made, or ``window`` or ``stride`` is not positive.
    """
    if min(window, stride) < 1:
        raise ValueError(f'window and stride must be positive, got {window} and {stride}')
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
    held_out = split_people(sorted(train_users), folds, seed) if folds else []
    _refuse_other_folds(out_dir, folds)

    database = {}
    with whole_folder(out_dir) as folder:
        for file, (experiment, user) in recordings.items():
            samples = _table(source, file, members[file](), 3, np.float32)
            if len(samples) < window:
                raise _bad(f'{source}: {file}', 'file',
                           f'{len(samples)} samples are less than a window')
            name = osp.splitext(file)[0][len('acc_'):]
            rows = labels[(labels[:, 0] == experiment) & (labels[:, 1] == user)]
            database[name] = dict(
                subset='test' if user in TEST_USERS else 'train',
                duration=len(samples) / FPS, fps=float(FPS),
                annotations=_annotations(source, name, rows[:, 2:], classes))
            save_feature(osp.join(folder, 'features'), name,
                         window_features(samples, window, stride))
        _check_complete(source, database, len(labels), partial)
        labels_file = f'{source}: labels.txt'
        save_annotations(osp.join(folder, ANNOTATIONS), database, classes, 'HAPT 2.1',
                         source=labels_file)
        for number, users in enumerate(held_out):
            part = {name: dict(entry, subset='validation' if user in users else 'train')
                    for (name, entry), (_, user) in zip(database.items(), recordings.values())
                    if user in train_users}
            save_annotations(osp.join(folder, fold_file(ANNOTATIONS, number)), part, classes,
                             f'HAPT 2.1, training people, fold {number} of {folds}, seed {seed}',
                             source=labels_file)
    return database


def _refuse_other_folds(out_dir: str, folds: int) -> None:
    """Raise TALDataError if files of another number of folds would lie beside the new ones."""
    new = {fold_file(ANNOTATIONS, number) for number in range(folds)}
    there = {path.name for path in Path(out_dir).glob(fold_file(ANNOTATIONS, '*'))}
    if folds and there - new:
        raise _bad(out_dir, 'folds', f'has files of more than {folds} folds: '
                   f'{", ".join(sorted(there - new))}; remove them, or take another folder')


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
    got = (len(database), segments, *(subsets.get(name, (0, 0))[0] for name in ('train', 'test')))
    expected = (RECORDINGS, SEGMENTS, TRAIN, TEST)
    if got != expected and not partial:
        raise _bad(source, 'recordings', 'recordings, segments, for training, for test are '
                   f'{got}, published are {expected}: is the archive complete?')
