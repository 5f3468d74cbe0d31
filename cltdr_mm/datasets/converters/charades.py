"""Charades: official CSV files, or the JSON file of super-events, to our layout."""
import re
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Optional

from ...utils import Problem, TALDataError
from ...utils.json_files import shown
from ..benchmarks import CharadesDataset
from .common import save_annotations
from .sources import Fields, by_name, read_csv, read_lines, read_object

_TITLE = 'Charades'
_SUBSETS = 'training', 'testing'


def convert_charades(out_file: str,
                     train: Optional[str] = None,
                     test: Optional[str] = None,
                     source: Optional[str] = None,
                     class_list: Optional[str] = None,
                     skip_inverted: bool = False) -> tuple[dict, list[str]]:
    """Convert Charades.

    Seven of its segments, all for training, end before they start. The files tell no frame rates:
    datasets need ``fps`` or ``default_fps``, that of the features.

    Args:
        out_file (str): JSON to write.
        train (str, optional): ``Charades_v1_train.csv``, becomes subset ``training``.
        test (str, optional): ``Charades_v1_test.csv``, becomes subset ``testing``.
        source (str, optional): ``charades.json`` of super-events, in place of the CSV files.
        class_list (str, optional): ``Charades_v1_classes.txt``, lines ``c000 name``. Defaults to
            None: classes are called by their codes.
        skip_inverted (bool): Whether segments that do not end after they start are left out.
            Defaults to False: they are an error that names each.

    Returns:
        tuple: The database written, and what was left out (list of str).

    Raises:
        TALDataError: If the files have problems or do not fit each other.
        ValueError: If not exactly one kind of source is given.
    """
    tables = [(path, subset) for path, subset in zip((train, test), _SUBSETS) if path is not None]
    if bool(tables) == (source is not None):
        raise ValueError('give the CSV files of train, test or both, or the JSON file')
    classes = CharadesDataset.METAINFO['classes']
    names = classes if class_list is None else _named_classes(class_list, classes)
    database, left_out, problems = {}, [], []
    for path, subset in tables:
        for name, (duration, actions) in _read_csv(path).items():
            if name in database:
                raise TALDataError.of(_TITLE, path, 'id', 'the video is in both files', name)
            database[name] = _entry(subset, duration, actions, classes, names)
    if source is not None:
        for name, entry in read_object(source, _TITLE).items():
            video = Fields(_TITLE, source, entry, name)
            if video.text('subset') not in _SUBSETS:
                raise video.bad('subset', "must be 'training' or 'testing', got "
                                f'{shown(video.text("subset"))}')
            database[name] = _entry(video.text('subset'), video.number('duration'),
                                    _json_actions(video, classes), classes, names)
    files = ', '.join([path for path, _ in tables] + [source] * (source is not None))
    for name, entry in database.items():
        kept = []
        for position, item in enumerate(entry['annotations']):
            start, end = item['segment']
            if end > start:
                kept.append(item)
                continue
            what = f'{classes[item["label_id"]]} ends at {end:g} s, not after its start {start:g} s'
            left_out.append(f'{name}: actions[{position}]: {what}')
            problems.append(Problem(files, name, f'actions[{position}]', what))
        entry['annotations'] = kept
    if problems and not skip_inverted:
        raise TALDataError(problems, f'{_TITLE} (--skip-inverted leaves such segments out)')
    save_annotations(out_file, database, names, _TITLE, CharadesDataset.DURATION_TOLERANCE,
                     default_fps=1.0, source=files)
    return database, left_out


def _entry(subset: str, duration: float, actions: Iterator[tuple[str, float, float]],
           classes: Sequence[str], names: Sequence[str]) -> dict:
    """One video; actions are (code of the class, start, end)."""
    entry = dict(subset=subset, duration=float(duration), annotations=[])
    for code, start, end in actions:
        label = classes.index(code)
        entry['annotations'].append(
            dict(segment=[start, end], label=names[label], label_id=label))
    return entry


def _read_csv(path: str) -> dict[str, tuple[float, list]]:
    """Duration and actions of the videos of an official CSV file, by name."""
    def values(row: Fields) -> tuple[float, list]:
        row.video = row.text('id')
        return row.number('length', quoted=True), list(_csv_actions(row))

    return by_name(read_csv(path, _TITLE, ('id', 'length', 'actions')), 'id', values)


def _csv_actions(row: Fields) -> Iterator[tuple[str, float, float]]:
    """``c092 11.90 21.20;c147 0.00 12.60``, or nothing."""
    for text in filter(None, map(str.strip, row.values['actions'].split(';'))):
        cells = dict(zip(('class', 'start', 'end'), text.split()))
        action = Fields(_TITLE, row.file, cells, row.video, f'{row.place}, actions')
        if len(text.split()) != 3:
            raise action.bad('', f'must be class, start, end, got {shown(text)}')
        code = action.text('class')
        if code not in CharadesDataset.METAINFO['classes']:
            raise action.bad('class', f'must be c000 to c156, got {shown(code)}')
        yield code, action.number('start', quoted=True), action.number('end', quoted=True)


def _json_actions(video: Fields, classes: Sequence[str]) -> Iterator[tuple[str, float, float]]:
    """``[[92, 11.9, 21.2], ...]``, classes numbered from 0."""
    for position, action in enumerate(video.items('actions')):
        if not isinstance(action, list) or len(action) != 3:
            raise video.bad(f'actions[{position}]',
                            f'must be [class, start, end], got {shown(action)}')
        action = Fields(_TITLE, video.file, dict(number=action[0], segment=action[1:]),
                        video.video, f'actions[{position}]')
        number = action.number('number')
        if number not in range(len(classes)):
            raise action.bad('class', f'must be 0 to {len(classes) - 1}, got {number:g}')
        yield (classes[int(number)], *action.segment())


def _named_classes(path: str, codes: Sequence[str]) -> list[str]:
    """Class names of a file with lines ``c000 name``, in the order of the codes."""
    names: dict[str, str] = {}
    for position, line in read_lines(path, _TITLE):
        code, *rest = line.split(None, 1)
        name = ''.join(rest).strip()
        bad = partial(TALDataError.of, _TITLE, path, f'line {position}')
        if not re.fullmatch(r'c\d{3}', code) or not name:
            raise bad(f"must be a code and a name, such as 'c005 Sweeping', got {shown(line)}")
        if names.setdefault(code, name) != name:
            raise bad(f'gives {code} a second name')
    if sorted(names) != list(codes):
        raise TALDataError.of(_TITLE, path, 'lines', f'must name the classes {codes[0]} to '
                              f'{codes[-1]}')
    twice = sorted({name for name in names.values() if list(names.values()).count(name) > 1})
    if twice:
        raise TALDataError.of(_TITLE, path, 'lines', f'give several classes one name: {twice}')
    return [names[code] for code in codes]
