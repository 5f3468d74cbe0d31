"""THUMOS14 and MultiTHUMOS: published annotation files to our layout."""
import os.path as osp
from collections.abc import Sequence
from pathlib import Path
from typing import Optional

from mmengine.logging import print_log

from ...utils import TALDataError, read_json
from ..annotations import read_annotation_file
from ..benchmarks import MultiTHUMOSDataset, THUMOS14Dataset
from .common import read_csv, save_annotations


def _entry(subset: str, duration: float, fps: float) -> dict:
    return dict(subset=subset, duration=duration, fps=fps, annotations=[])


def convert_thumos14(source: str, out_file: str, video_info: Optional[str] = None) -> dict:
    """Convert THUMOS14.

    Ambiguous segments are left out.

    Args:
        source (str): Annotation file in ActionFormer's layout, which is checked and completed
            by the class list; or the folder of the official text files, one a class
            (``BaseballPitch_val.txt``: video, start, end).
        out_file (str): JSON to write.
        video_info (str, optional): For text files, which tell no durations: CSV with columns
            ``video``, ``duration`` (s) and ``fps``. Defaults to None.

    Returns:
        dict: The database written.

    Raises:
        TALDataError: If the source has problems.
    """
    classes = THUMOS14Dataset.METAINFO['classes']
    if osp.isdir(source):
        database = _thumos14_text(source, video_info, classes)
    else:
        database = read_annotation_file(source)['database']
        _leave_out(database, THUMOS14Dataset.IGNORED_LABELS, source)
    save_annotations(out_file, database, classes, 'THUMOS14',
                     THUMOS14Dataset.DURATION_TOLERANCE, THUMOS14Dataset.EXEMPT_VIDEOS)
    return database


def _leave_out(database: dict, labels: Sequence[str], source: str) -> None:
    """Take annotations of these labels out of a database, and log how many there were."""
    count = 0
    for entry in database.values():
        if isinstance(entry, dict) and isinstance(entry.get('annotations'), list):
            kept = [a for a in entry['annotations']
                    if not isinstance(a, dict) or a.get('label') not in labels]
            count += len(entry['annotations']) - len(kept)
            entry['annotations'] = kept
    if count:
        print_log(f'{source}: {count} annotations labelled {", ".join(labels)} are left out',
                  logger='current')


def _thumos14_text(folder: str, video_info: Optional[str], classes: Sequence[str]) -> dict:
    """Official text files of one or both subsets, found anywhere under the folder."""
    if video_info is None:
        raise TALDataError.of('THUMOS14', folder, 'video_info', 'is needed with text files: they '
                              'tell no duration and no fps')
    rows = read_csv(video_info, ('video', 'duration', 'fps'))
    info = {row['video']: (float(row['duration']), float(row['fps'])) for row in rows}
    database, found = {}, 0
    for path in sorted(Path(folder).rglob('*.txt')):
        label, _, part = path.stem.rpartition('_')
        if part not in ('val', 'test') or label not in classes:
            continue  # Ambiguous_*.txt, class lists, notes
        found += 1
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if not line.strip():
                continue
            field = f'line {number}'
            try:
                video, start, end = line.split()
                segment = [float(start), float(end)]
            except ValueError as error:
                raise TALDataError.of('THUMOS14', path, field,
                                      f'must be video, start, end: {line!r}') from error
            if video not in info:
                raise TALDataError.of('THUMOS14', path, field, f'not in {video_info}', video)
            subset = 'Validation' if part == 'val' else 'Test'
            entry = database.setdefault(video, _entry(subset, *info[video]))
            entry['annotations'].append(
                dict(segment=segment, label=label, label_id=classes.index(label)))
    if not found:
        raise TALDataError.of('THUMOS14', folder, 'files', 'no <Class>_val.txt or '
                              '<Class>_test.txt of a THUMOS14 class')
    return database


def convert_multithumos(source: str,
                        out_file: str,
                        thumos14: Optional[str] = None,
                        class_list: Optional[str] = None,
                        default_fps: float = 30.0,
                        exclude: Sequence[str] = ()) -> tuple[dict, list[str]]:
    """Convert MultiTHUMOS as super-events publish it (``{video: {subset, duration, actions}}``).

    Seven of its 38,690 annotations are empty (start equals end); they can match no detection
    and are left out.

    Args:
        source (str): ``multithumos.json``, actions as ``[class from 1, start, end]``.
        out_file (str): JSON to write.
        thumos14 (str, optional): THUMOS14's annotation file, for the fps of the videos.
            Defaults to None.
        class_list (str, optional): Lines ``number name`` for the classes, as the data set
            brings it. Defaults to None: names of THUMOS14 for the first 20, ``class_21`` and
            so on for the rest.
        default_fps (float): For videos that ``thumos14`` does not have. Defaults to 30.
        exclude (Sequence[str]): Videos to leave out. Defaults to ().

    Returns:
        tuple: The database written, and what was left out (list of str).

    Raises:
        TALDataError: If the source has problems.
    """
    classes = MultiTHUMOSDataset.METAINFO['classes']
    if class_list is not None:
        lines = [line.split() for line in Path(class_list).read_text().splitlines()]
        names = {line[0]: ' '.join(line[1:]) for line in lines if line}
        if sorted(names, key=int) != [str(i + 1) for i in range(len(classes))]:
            raise TALDataError.of('MultiTHUMOS', class_list, 'lines',
                                  f'must number {len(classes)} classes from 1')
        classes = [names[str(i + 1)] for i in range(len(classes))]
    fps = {}
    if thumos14 is not None:
        known = read_annotation_file(thumos14)['database']
        fps = {name: entry['fps'] for name, entry in known.items()}
    database, left_out = {}, []
    for name, video in read_json(source, 'MultiTHUMOS').items():
        if name in exclude:
            left_out.append(f'{name}: excluded')
            continue
        try:
            subset, actions = video['subset'], video['actions']
            # the names that THUMOS14's own file uses
            subset = dict(training='Validation', testing='Test')[subset]
            entry = _entry(subset, video['duration'], fps.get(name, default_fps))
            for position, (number, start, end) in enumerate(actions):
                if end == start:
                    left_out.append(f'{name}: actions[{position}] is empty, at {start:g} s')
                    continue
                entry['annotations'].append(dict(segment=[start, end], label=classes[number - 1],
                                                 label_id=number - 1))
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise TALDataError.of('MultiTHUMOS', source, 'entry',
                                  f'not as published ({error!r})', name) from error
        database[name] = entry
    save_annotations(out_file, database, classes, 'MultiTHUMOS',
                     MultiTHUMOSDataset.DURATION_TOLERANCE, MultiTHUMOSDataset.EXEMPT_VIDEOS)
    return database, left_out
