"""EPIC-KITCHENS-100: published CSV files to our layout."""
from functools import partial
from typing import Optional

from ...utils import TALDataError
from ..classes import class_names
from .common import read_csv, save_annotations


def _seconds(text: str) -> float:
    """``hh:mm:ss.ss`` as seconds."""
    hours, minutes, seconds = text.split(':')
    return 3600 * int(hours) + 60 * int(minutes) + float(seconds)


def convert_epic100(task: str,
                    video_info: str,
                    out_file: str,
                    train: Optional[str] = None,
                    validation: Optional[str] = None) -> dict:
    """Convert EPIC-KITCHENS-100.

    Args:
        task (str): ``'verb'`` or ``'noun'``: which of the two labels a segment gets.
        video_info (str): ``EPIC_100_video_info.csv``, for duration and frame rate.
        out_file (str): JSON to write.
        train (str, optional): ``EPIC_100_train.csv``, becomes subset ``training``.
        validation (str, optional): ``EPIC_100_validation.csv``, becomes subset ``validation``.

    Returns:
        dict: The database written.

    Raises:
        TALDataError: If the files have problems or do not fit each other.
        ValueError: If the task is unknown or neither CSV is given.
    """
    if task not in ('verb', 'noun'):
        raise ValueError(f"task must be 'verb' or 'noun', got {task!r}")
    sources = [(path, subset) for path, subset in ((train, 'training'), (validation, 'validation'))
               if path is not None]
    if not sources:
        raise ValueError('give the CSV file of train, validation or both')
    classes = class_names(f'epic100_{task}')
    info = {row['video_id']: row for row in read_csv(video_info, ('video_id', 'duration', 'fps'))}
    columns = ('video_id', 'start_timestamp', 'stop_timestamp', f'{task}_class')
    database: dict = {}
    for path, subset in sources:
        for number, row in enumerate(read_csv(path, columns), 2):
            name = row['video_id']
            bad = partial(TALDataError.of, 'EPIC-KITCHENS-100', path, f'line {number}', video=name)
            if name not in info:
                raise bad(f'the video is not in {video_info}')
            try:
                segment = [_seconds(row['start_timestamp']), _seconds(row['stop_timestamp'])]
                label = int(row[f'{task}_class'])
                duration, fps = float(info[name]['duration']), float(info[name]['fps'])
            except ValueError as error:
                raise bad(str(error)) from error
            if not 0 <= label < len(classes):
                raise bad(f'{task}_class {label} is not among the {len(classes)} classes')
            entry = database.setdefault(
                name, dict(subset=subset, duration=duration, fps=fps, annotations=[]))
            if entry['subset'] != subset:
                raise bad('the video is in both subsets')
            entry['annotations'].append(
                dict(segment=segment, label=classes[label], label_id=label))
    save_annotations(out_file, database, classes, f'EPIC-KITCHENS-100 {task}')
    return database
