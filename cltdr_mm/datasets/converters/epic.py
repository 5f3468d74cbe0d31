"""EPIC-KITCHENS-100: published CSV files to our layout."""
from typing import Optional

from ..classes import class_names
from .common import save_annotations
from .sources import by_name, clock_seconds, read_csv


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
    title = 'EPIC-KITCHENS-100'
    info = by_name(read_csv(video_info, title, ('video_id', 'duration', 'fps')), 'video_id',
                   lambda row: (row.number('duration', quoted=True),
                                row.number('fps', quoted=True)))
    columns = ('video_id', 'start_timestamp', 'stop_timestamp', f'{task}_class')
    database: dict = {}
    for path, subset in sources:
        for row in read_csv(path, title, columns):
            row.video = name = row.text('video_id')
            if name not in info:
                raise row.bad('', f'the video is not in {video_info}')
            segment = [clock_seconds(row, column) for column in columns[1:3]]
            label = row.number(f'{task}_class', quoted=True)
            if label not in range(len(classes)):
                raise row.bad(f'{task}_class',
                              f'{label:g} is not among the {len(classes)} classes')
            duration, fps = info[name]
            entry = database.setdefault(
                name, dict(subset=subset, duration=duration, fps=fps, annotations=[]))
            if entry['subset'] != subset:
                raise row.bad('', 'the video is in both subsets')
            entry['annotations'].append(
                dict(segment=segment, label=classes[int(label)], label_id=int(label)))
    save_annotations(out_file, database, classes, f'EPIC-KITCHENS-100 {task}',
                     source=', '.join([*(path for path, _ in sources), video_info]))
    return database
