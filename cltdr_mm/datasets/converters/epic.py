"""EPIC-KITCHENS-100 and EPIC-Sounds: published files to our layout."""
from typing import Optional

from ...utils.json_files import shown
from ..benchmarks import EPICSoundsDataset
from ..classes import class_names
from .common import save_annotations
from .sources import Fields, by_name, clock_seconds, read_csv, read_database

_SOUNDS = 'EPIC-Sounds'


def convert_epic100(task: str,
                    video_info: str,
                    out_file: str,
                    train: Optional[str] = None,
                    validation: Optional[str] = None,
                    test: Optional[str] = None) -> dict:
    """Convert EPIC-KITCHENS-100.

    Args:
        task (str): ``'verb'`` or ``'noun'``: which of the two labels a segment gets.
        video_info (str): ``EPIC_100_video_info.csv``, for duration and frame rate.
        out_file (str): JSON to write.
        train (str, optional): ``EPIC_100_train.csv``, becomes subset ``training``.
        validation (str, optional): ``EPIC_100_validation.csv``, becomes subset ``validation``.
        test (str, optional): Table whose column ``video_id`` names the test videos, as often as it
            likes; they become subset ``test``, without annotations.

    Returns:
        dict: The database written.

    Raises:
        TALDataError: If the files have problems or do not fit each other.
        ValueError: If the task is unknown or no CSV is given.
    """
    if task not in ('verb', 'noun'):
        raise ValueError(f"task must be 'verb' or 'noun', got {task!r}")
    sources = [(path, subset) for path, subset in (
        (train, 'training'), (validation, 'validation'), (test, 'test')) if path is not None]
    if not sources:
        raise ValueError('give the CSV file of train, validation or test')
    classes = class_names(f'epic100_{task}')
    title = 'EPIC-KITCHENS-100'
    info = by_name(read_csv(video_info, title, ('video_id', 'duration', 'fps')), 'video_id',
                   lambda row: (row.number('duration', quoted=True),
                                row.number('fps', quoted=True)))
    columns = ('video_id', 'start_timestamp', 'stop_timestamp', f'{task}_class')
    database: dict = {}
    for path, subset in sources:
        for row in read_csv(path, title, columns[:1] if subset == 'test' else columns):
            row.video = name = row.text('video_id')
            if name not in info:
                raise row.bad('', f'the video is not in {video_info}')
            duration, fps = info[name]
            entry = database.setdefault(
                name, dict(subset=subset, duration=duration, fps=fps, annotations=[]))
            if entry['subset'] != subset:
                raise row.bad('', f'the video is in {entry["subset"]} and in {subset}')
            if subset == 'test':
                continue
            segment = [clock_seconds(row, column) for column in columns[1:3]]
            label = row.number(f'{task}_class', quoted=True)
            if label not in range(len(classes)):
                raise row.bad(f'{task}_class',
                              f'{label:g} is not among the {len(classes)} classes')
            entry['annotations'].append(
                dict(segment=segment, label=classes[int(label)], label_id=int(label)))
    save_annotations(out_file, database, classes, f'EPIC-KITCHENS-100 {task}',
                     source=', '.join([*(path for path, _ in sources), video_info]))
    return database


def convert_epic_sounds(out_file: str,
                        video_info: Optional[str] = None,
                        train: Optional[str] = None,
                        validation: Optional[str] = None,
                        test: Optional[str] = None,
                        source: Optional[str] = None) -> dict:
    """Convert EPIC-Sounds.

    No frame rates are written: datasets need ``fps`` or ``default_fps``, that of the features.

    Args:
        out_file (str): JSON to write.
        video_info (str, optional): ``EPIC_100_video_info.csv``, for durations; goes with CSV files.
        train (str, optional): ``EPIC_Sounds_train.csv``, becomes subset ``train``.
        validation (str, optional): ``EPIC_Sounds_validation.csv``, becomes subset ``val``.
        test (str, optional): ``EPIC_Sounds_detection_test_videos.csv``, names alone, becomes
            subset ``test``.
        source (str, optional): OpenTAD's JSON file, labels ``id_000`` to ``id_043``, in place of
            the CSV files.

    Returns:
        dict: The database written.

    Raises:
        TALDataError: If the files have problems or do not fit each other.
        ValueError: If not exactly one kind of source is given, or CSV files without durations.
    """
    tables = [(path, subset) for path, subset in (
        (train, 'train'), (validation, 'val'), (test, 'test')) if path is not None]
    if bool(tables) == (source is not None) or bool(tables) != (video_info is not None):
        raise ValueError('give CSV files with that of the durations (video_info), or the JSON file')
    if source is not None:
        database, files = _opentad_sounds(source), source
    else:
        database, files = _sounds(tables, video_info), ', '.join(
            [*(path for path, _ in tables), video_info])
    save_annotations(out_file, database, EPICSoundsDataset.METAINFO['classes'], _SOUNDS,
                     EPICSoundsDataset.DURATION_TOLERANCE, default_fps=1.0, source=files)
    return database


def _sounds(tables: list[tuple[str, str]], video_info: str) -> dict:
    """Database of official CSV files (path, subset)."""
    classes = EPICSoundsDataset.METAINFO['classes']
    durations = by_name(read_csv(video_info, _SOUNDS, ('video_id', 'duration')), 'video_id',
                        lambda row: row.number('duration', quoted=True))
    times = ('start_timestamp', 'stop_timestamp')
    database: dict = {}
    for path, subset in tables:
        columns = ('video_id', ) if subset == 'test' else ('video_id', *times, 'class', 'class_id')
        for row in read_csv(path, _SOUNDS, columns):
            row.video = name = row.text('video_id')
            if name not in durations:
                raise row.bad('', f'the video is not in {video_info}')
            entry = database.setdefault(
                name, dict(subset=subset, duration=durations[name], annotations=[]))
            if entry['subset'] != subset:
                raise row.bad('', f'the video is in {entry["subset"]} and in {subset}')
            if subset == 'test':
                continue
            number, label = row.number('class_id', quoted=True), row.text('class')
            if number not in range(len(classes)):
                raise row.bad('class_id', f'{number:g} is not among the {len(classes)} classes')
            if classes[int(number)] != label:
                raise row.bad('class', f'is {shown(label)}, but class {number:g} is '
                              f'{shown(classes[int(number)])}')
            entry['annotations'].append(dict(
                segment=[clock_seconds(row, column) for column in times], label=label,
                label_id=int(number)))
    return database


def _opentad_sounds(source: str) -> dict:
    """Database of OpenTAD's file, which numbers the classes."""
    classes = EPICSoundsDataset.METAINFO['classes']
    numbers = {f'id_{i:03d}': i for i in range(len(classes))}
    database = {}
    for name, values in read_database(source, _SOUNDS).items():
        video = Fields(_SOUNDS, source, values, name)
        entry = dict(subset=video.text('subset'), duration=video.number('duration'), annotations=[])
        items = video.values.get('annotations')
        for i, item in enumerate([] if items is None else video.items('annotations')):
            item = Fields(_SOUNDS, source, item, name, f'annotations[{i}]')
            if item.text('label') not in numbers:
                raise item.bad('label', f'must be id_000 to id_{len(classes) - 1:03d}, got '
                               f'{shown(item.text("label"))}')
            number = numbers[item.text('label')]
            entry['annotations'].append(dict(
                segment=[*item.segment()], label=classes[number], label_id=number))
        database[name] = entry
    return database
