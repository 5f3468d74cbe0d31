"""THUMOS14 and MultiTHUMOS: published annotation files to our layout."""
import os.path as osp
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Optional

from mmengine.logging import print_log

from ...utils import TALDataError
from ...utils.json_files import shown
from ..benchmarks import MultiTHUMOSDataset, THUMOS14Dataset
from .common import save_annotations
from .sources import Fields, by_name, read_csv, read_database, read_lines, read_object


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
        database = read_database(source, 'THUMOS14')
        _leave_out(database, THUMOS14Dataset.IGNORED_LABELS, source)
    save_annotations(out_file, database, classes, 'THUMOS14',
                     THUMOS14Dataset.DURATION_TOLERANCE, THUMOS14Dataset.EXEMPT_VIDEOS,
                     source=source if video_info is None else f'{source}, {video_info}')
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
    rows = read_csv(video_info, 'THUMOS14', ('video', 'duration', 'fps'))
    info = by_name(rows, 'video', lambda row: (row.number('duration', quoted=True),
                                               row.number('fps', quoted=True)))
    database, found = {}, 0
    for path in sorted(Path(folder).rglob('*.txt')):
        label, _, part = path.stem.rpartition('_')
        if part not in ('val', 'test') or label not in classes:
            continue  # Ambiguous_*.txt, class lists, notes
        found += 1
        for number, line in read_lines(path, 'THUMOS14'):
            cells = dict(zip(('video', 'start', 'end'), line.split()))
            row = Fields('THUMOS14', path, cells, cells['video'], f'line {number}')
            if len(line.split()) != 3:
                raise row.bad('', f'must be video, start, end, got {shown(line)}')
            segment = [row.number('start', quoted=True), row.number('end', quoted=True)]
            if row.video not in info:
                raise row.bad('', f'the video is not in {video_info}')
            subset = 'Validation' if part == 'val' else 'Test'
            entry = database.setdefault(row.video, _entry(subset, *info[row.video]))
            if entry['subset'] != subset:
                raise row.bad('', 'the video is in files of both subsets')
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
        TALDataError: If the source has problems, or lacks a video to leave out.
    """
    classes = MultiTHUMOSDataset.METAINFO['classes']
    title = 'MultiTHUMOS'
    if class_list is not None:
        classes = _numbered_classes(class_list, len(classes))
    fps = {}
    if thumos14 is not None:
        fps = {name: Fields(title, thumos14, entry, name).number('fps')
               for name, entry in read_database(thumos14, title).items()}
    database, left_out, videos = {}, [], read_object(source, title)
    for name in exclude:
        if name not in videos:
            raise TALDataError.of(title, source, 'video', 'is to be left out and not there', name)
    for name, video in videos.items():
        if name in exclude:
            left_out.append(f'{name}: excluded')
            continue
        video = Fields(title, source, video, name)
        # the names that THUMOS14's own file uses
        subset = dict(training='Validation', testing='Test').get(video.text('subset'))
        if subset is None:
            raise video.bad('subset', "must be 'training' or 'testing', got "
                            f'{shown(video.text("subset"))}')
        entry = _entry(subset, video.number('duration'), fps.get(name, default_fps))
        for position, action in enumerate(video.items('actions')):
            if not isinstance(action, list) or len(action) != 3:
                raise video.bad(f'actions[{position}]',
                                f'must be [class, start, end], got {shown(action)}')
            action = Fields(title, source, dict(number=action[0], segment=action[1:]), name,
                            f'actions[{position}]')
            number, (start, end) = action.number('number'), action.segment()
            if number not in range(1, len(classes) + 1):
                raise action.bad('class', f'must be 1 to {len(classes)}, got {number:g}')
            if end == start:
                left_out.append(f'{name}: actions[{position}] is empty, at {start:g} s')
                continue
            label = int(number) - 1
            entry['annotations'].append(
                dict(segment=[start, end], label=classes[label], label_id=label))
        database[name] = entry
    save_annotations(out_file, database, classes, 'MultiTHUMOS',
                     MultiTHUMOSDataset.DURATION_TOLERANCE, MultiTHUMOSDataset.EXEMPT_VIDEOS,
                     source=source if thumos14 is None else f'{source}, {thumos14}')
    return database, left_out


def _numbered_classes(path: str, count: int) -> list[str]:
    """Class names of a file with lines ``number name``, by number."""
    names: dict[int, str] = {}
    for position, line in read_lines(path, 'MultiTHUMOS'):
        number, *rest = line.split(None, 1)
        name = ''.join(rest)
        bad = partial(TALDataError.of, 'MultiTHUMOS', path, f'line {position}')
        if not number.isdecimal() or len(number) > 9 or not name.strip():
            raise bad(f"must be a number and a name, such as '7 BaseballPitch', got {shown(line)}")
        if names.setdefault(int(number), name.strip()) != name.strip():
            raise bad(f'gives number {number} a second name')
    if sorted(names) != list(range(1, count + 1)):
        raise TALDataError.of('MultiTHUMOS', path, 'lines', f'must number {count} classes from 1')
    twice = {name for name in names.values() if list(names.values()).count(name) > 1}
    if twice:
        raise TALDataError.of('MultiTHUMOS', path, 'lines',
                              f'give several numbers one name: {sorted(twice)}')
    return [names[i + 1] for i in range(count)]
