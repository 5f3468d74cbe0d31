"""Reads what others published: every value by its type, every error with file, place and field."""
import csv
import math
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Optional, Union

from ...utils import TALDataError, read_json
from ...utils.json_files import number_problem, refuse_duplicates, shown
from ...utils.problems import unreadable


class Fields:
    """The fields of one object of a JSON file, or of one row of a CSV file.

    Args:
        title (str): What is read, for errors.
        file (str): Where it is from.
        values: The object, of any type.
        video (str, optional): The video concerned. Defaults to None.
        place (str): Where it is in the file, such as ``'line 3'`` or ``'annotations[2]'``. Defaults
            to ``''``.

    Raises:
        TALDataError: If the values are no object; also of every method, if a value is missing or
            not what is asked for.
    """

    def __init__(self, title: str, file: Union[str, Path], values: Any,
                 video: Optional[str] = None, place: str = ''):
        self.title, self.file, self.video, self.place = title, file, video, place
        if not isinstance(values, dict):
            raise self.bad('', f'must be an object, got {shown(values)}')
        self.values = values

    def bad(self, field: str, message: str) -> TALDataError:
        """The error of a field; without its name, of the whole."""
        joint = ', ' if ' ' in self.place else '.'  # after a line, or a key
        where = joint.join(filter(None, (self.place, field))) or 'entry'
        return TALDataError.of(self.title, self.file, where, message, self.video)

    def _get(self, field: str) -> Any:
        if field not in self.values:
            raise self.bad(field, 'is missing')
        return self.values[field]

    def text(self, field: str) -> str:
        """A string that is not empty."""
        value = self._get(field)
        if not isinstance(value, str) or not value.strip():
            raise self.bad(field, f'must be a text, got {shown(value)}')
        return value

    def number(self, field: str, quoted: bool = False) -> float:
        """A finite number; ``quoted`` ones may be written as texts."""
        return self._number(field, self._get(field), quoted)

    def _number(self, field: str, value: Any, quoted: bool) -> float:
        if quoted and isinstance(value, str):
            try:
                value = float(value)
            except ValueError:
                raise self.bad(field, f'must be a number, got {shown(value)}') from None
        why = number_problem(value)
        if why is not None:
            raise self.bad(field, why)
        return value

    def items(self, field: str) -> list:
        """A list of anything."""
        value = self._get(field)
        if not isinstance(value, list):
            raise self.bad(field, f'must be a list, got {shown(value)}')
        return value

    def object(self, field: str) -> dict:
        """An object with any fields."""
        value = self._get(field)
        if not isinstance(value, dict):
            raise self.bad(field, f'must be an object, got {shown(value)}')
        return value

    def segment(self, field: str = 'segment', quoted: bool = False) -> tuple[float, float]:
        """Start and end, in seconds."""
        values = self.items(field)
        if len(values) != 2:
            raise self.bad(field, f'must be [start, end], got {shown(values)}')
        start, end = (self._number(field, value, quoted) for value in values)
        return start, end


def read_object(path: Union[str, Path], title: str) -> dict:
    """Read a JSON file that holds an object, in which no key is given twice.

    Args:
        path (str or Path): The file.
        title (str): What it is, for the error.

    Returns:
        dict: What it holds.

    Raises:
        TALDataError: If it cannot be read or is something else.
    """
    return read_json(path, title, refuse_duplicates)


def read_database(path: Union[str, Path], title: str) -> dict:
    """Read the ``database`` of a file in ActivityNet's layout, see :func:`read_object`."""
    content = read_object(path, title)
    bad = partial(TALDataError.of, title, path, 'database')
    if 'database' not in content:
        raise bad(f'is missing; the file has {sorted(content)[:10]}')
    if not isinstance(content['database'], dict):
        raise bad(f'must be an object, got {type(content["database"]).__name__}')
    return content['database']


def read_lines(path: Union[str, Path], title: str) -> list[tuple[int, str]]:
    """Read a text file.

    Args:
        path (str or Path): The file.
        title (str): What it is, for the error.

    Returns:
        list[tuple[int, str]]: Numbers, from 1, and contents of the lines that are not blank.

    Raises:
        TALDataError: If it cannot be read.
    """
    try:
        text = Path(path).read_text('utf-8-sig')
    except (OSError, ValueError) as error:
        raise TALDataError.of(title, path, 'file', unreadable(path, error)) from error
    return [(i, line) for i, line in enumerate(text.splitlines(), 1) if line.strip()]


def read_csv(path: str, title: str, columns: Sequence[str]) -> list[Fields]:
    """Read a CSV file with a header.

    Args:
        path (str): The file.
        title (str): What it is, for the error.
        columns (Sequence[str]): Columns it must have, in every row.

    Returns:
        list[Fields]: One a row, with texts; the place is the row's last line.

    Raises:
        TALDataError: If it cannot be read, lacks a column or has no row, or a row has more or
            fewer cells than the header.
    """
    bad = partial(TALDataError.of, title, path)
    try:
        with open(path, encoding='utf-8-sig', newline='') as file:
            reader = csv.reader(file, strict=True)
            lines = [(reader.line_num, cells) for cells in reader if cells]
    except (OSError, ValueError, csv.Error) as error:
        raise bad('file', unreadable(path, error)) from error
    names = lines[0][1] if lines else []
    missing = [name for name in columns if name not in names]
    if missing:
        raise bad('header', f'lacks the column(s) {missing}; it has {shown(names)}')
    twice = [name for name in columns if names.count(name) > 1]
    if twice:
        raise bad('header', f'has the column(s) {twice} twice')
    if len(lines) == 1:
        raise bad('file', 'has a header and no row')
    for number, cells in lines[1:]:
        if len(cells) != len(names):
            raise bad(f'line {number}', f'has {len(cells)} cells, the header {len(names)}: '
                      f'{shown(names)}')
    return [Fields(title, path, dict(zip(names, cells)), place=f'line {number}')
            for number, cells in lines[1:]]


def by_name(rows: Sequence[Fields], column: str,
            values: Callable[[Fields], Any]) -> dict[str, Any]:
    """Look up rows by a name that none shares with another.

    Args:
        rows (Sequence[Fields]): From :func:`read_csv`.
        column (str): Column of the name.
        values (Callable): What is taken of a row.

    Returns:
        dict[str, Any]: By name.

    Raises:
        TALDataError: If a name is there twice, or a value is bad.
    """
    found: dict[str, Any] = {}
    for row in rows:
        name = row.text(column)
        if name in found:
            raise row.bad(column, f'{shown(name)} has a row before this one')
        found[name] = values(row)
    return found


def clock_seconds(row: Fields, column: str) -> float:
    """``hh:mm:ss.ss`` of a row as seconds."""
    parts = row.text(column).split(':')
    try:
        hours, minutes, seconds = int(parts[0]), int(parts[1]), float(parts[2])
    except (IndexError, ValueError):
        hours = -1
    if hours < 0 or len(parts) != 3 or not (0 <= minutes < 60 and 0 <= seconds < math.inf):
        raise row.bad(column, f'must be hh:mm:ss, got {shown(row.text(column))}')
    return 3600 * hours + 60 * minutes + seconds
