"""Reads labels in BORIS's tables of events (version 8): tabular events, and aggregated events."""
import re
from typing import Optional

from ...utils.json_files import shown
from ..converters.sources import Fields
from .names import file_of_url
from .numbers import NumberReader, read_cell
from .rows import LabelFile, ReadOptions
from .tables import TextTable, full_rows

_NOTHING = ('', 'NA', 'Not found')
_TABULAR = ('Behavior', 'Behavior type', 'Time')
_AGGREGATED = ('Behavior', 'Behavior type', 'Start (s)', 'Stop (s)')


def is_boris(header: list) -> bool:
    """Whether these are the columns of a table of events."""
    return set(_TABULAR) <= set(header) or set(_AGGREGATED) <= set(header)


def read_boris(found: LabelFile, table: TextTable, options: ReadOptions) -> None:
    """Read state events; behaviours are the classes.

    In tabular events, a start and the next stop of the same observation, subject, behaviour and
    modifiers are a segment. Times count from the beginning of the recording, so the observation's
    time offset is taken off.

    Args:
        found (LabelFile): Takes what is found.
        table (TextTable): The file's cells.
        options (ReadOptions): ``group``, a column.

    Raises:
        TALDataError: If it is not such a table.
    """
    header = table.header
    if not is_boris(header):
        raise found.bad('header', f'must have {", ".join(map(repr, _TABULAR))}, or '
                        f'{", ".join(map(repr, _AGGREGATED))}; it has {shown(header)}')
    numbers = NumberReader(table.delimiter)
    started: dict[tuple, tuple[float, str]] = {}
    aggregated = set(_AGGREGATED) <= set(header)
    modifiers = [name for name in header if name.startswith('Modifier')]
    for place, cells in full_rows(found, table):
        with found.collecting():
            row = found.fields(cells, place)
            row.video = video = _recording(row)
            facts = {name: _single(row, columns, numbers) for name, columns in (
                ('duration', ('Media duration (s)', )), ('fps', ('FPS', 'FPS (frame/s)')))}
            found.fact(video, place, group=cells.get(options.group) or None, **facts)
            offset = _single(row, ('Time offset (s)', ), numbers) or 0.0
            label, kind = row.text('Behavior'), row.text('Behavior type')
            if kind == 'POINT':
                raise row.bad('Behavior type', 'a POINT event has no length; export state events '
                              'only')
            if aggregated:
                start, stop = (read_cell(row, name, numbers.number) - offset
                               for name in _AGGREGATED[2:])
                found.row(place, video, start, stop, label)
                continue
            time = read_cell(row, 'Time', numbers.number) - offset
            key = (cells.get('Observation id'), video, cells.get('Subject'), label,
                   *(cells[name] for name in modifiers))
            if kind == 'START' and key not in started:
                started[key] = time, place
            elif kind == 'STOP' and key in started:
                found.row(place, video, started.pop(key)[0], time, label)
            else:
                raise row.bad('Behavior type', _why(kind, started.get(key)))
    for (_, video, _, label, *_), (_, place) in started.items():
        found.problems += found.bad(f'{place}, Behavior type', f'the START of {shown(label)} has '
                                    'no STOP', video).problems


def _why(kind: str, before: Optional[tuple]) -> str:
    if kind == 'START':
        return f'a second START; the one in {before[1]} has no STOP'
    return 'a STOP without a START' if kind == 'STOP' else (
        f'must be START, STOP or POINT, got {shown(kind)}')


def _recording(row: Fields) -> str:
    """The file of the first player, or the observation's id where there was none."""
    # 'player #1:a.mp4;b.mp4|player #2:c.mp4'
    source = re.sub(r'^player #1:', '', row.values.get('Source', '').partition('|')[0].strip())
    if ';' in source:
        raise row.bad('Source', f'{source.count(";") + 1} files were shown one after another, and '
                      'times count from the first; observe each file on its own')
    for name in (source, row.values.get('Media file name', '')):
        if name not in _NOTHING:
            return file_of_url(name)
    return row.text('Observation id')


def _single(row: Fields, columns: tuple, numbers: NumberReader) -> Optional[float]:
    """Number of the first of some columns that has one, of the first player; None if none has."""
    for column in columns:
        if row.values.get(column, '') not in _NOTHING:
            return read_cell(row, column, lambda cell: numbers.number(cell.partition('|')[0]))
    return None
