"""Tables in text files, whatever separates their cells, and their columns by the usual names."""
import csv
import io
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from ...utils.json_files import shown
from ...utils.problems import unreadable
from .rows import LabelFile

_DELIMITERS = (',', ';', '\t')
_UNIT = re.compile(r'[\s_\-]*[(\[]\s*(s|secs?|seconds)\s*[)\]]$|[\s_\-]+(s|secs?|seconds)$')

#: Names of columns, without blanks and the like; :func:`find_columns` takes them in any case.
COLUMNS = dict(
    video=('video', 'videoname', 'videoid', 'file', 'filename', 'media', 'mediafile',
           'recording'),
    start=('start', 'starttime', 'starttimestamp', 'begin', 'begintime', 'onset', 'tstart'),
    end=('end', 'endtime', 'endtimestamp', 'stop', 'stoptime', 'stoptimestamp', 'offset', 'tend'),
    duration=('duration', ),
    start_frame=('startframe', 'beginframe', 'framestart'),
    end_frame=('endframe', 'stopframe', 'frameend', 'framestop'),
    label=('label', 'labelname', 'class', 'classname', 'action', 'activity', 'behavior',
           'behaviour', 'category'),
    fps=('fps', 'framerate'),
    subset=('subset', 'split'),
    group=())


@dataclass
class TextTable:
    """The cells of a text file.

    Args:
        delimiter (str): What separates them.
        header (list[str]): Names of the columns.
        lines (list[tuple[int, list[str]]]): Numbers of lines, from 1, and their cells; a row that
            is longer than a line has the number of its last one.
    """

    delimiter: str
    header: list
    lines: list


def read_text(path: str) -> str:
    """Read a text in UTF-8, or in UTF-16 with a byte order mark, as Excel writes it.

    Raises:
        TALDataError: If it cannot be read.
    """
    try:
        data = Path(path).read_bytes()
        utf16 = data[:2] in (b'\xff\xfe', b'\xfe\xff')
        return data.decode('utf-16' if utf16 else 'utf-8-sig')
    except UnicodeDecodeError as error:
        raise LabelFile(path).bad('file', f'is no text in UTF-8 ({error})') from error
    except OSError as error:
        raise LabelFile(path).bad('file', unreadable(path, error)) from error


def read_table(path: str) -> TextTable:
    """Read a text file whose first line has the names of columns.

    Args:
        path (str): The file. Commas, semicolons or tabs separate its cells: what makes most
            columns of the header.

    Returns:
        TextTable: Its rows, empty ones left out.

    Raises:
        TALDataError: If it cannot be read, or its cells are not separated by one of the three.
    """
    text = read_text(path)
    found = LabelFile(path)
    widths = {mark: len(_first_row(text, mark)) for mark in _DELIMITERS}
    delimiter = max(widths, key=widths.get)
    if widths[delimiter] < 2 or list(widths.values()).count(widths[delimiter]) > 1:
        raise found.bad('header', 'must be names of columns with commas, semicolons or tabs '
                        f'between them, got {shown(text.strip().partition(chr(10))[0].strip())}')
    reader = csv.reader(io.StringIO(text, newline=''), delimiter=delimiter, strict=True)
    try:
        lines = [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader]
    except csv.Error as error:
        raise found.bad(f'line {reader.line_num}', f'cannot be read ({error})') from error
    lines = [(number, cells) for number, cells in lines if any(cells)]
    return TextTable(delimiter, lines[0][1], lines[1:])


def _first_row(text: str, delimiter: str) -> list[str]:
    """Cells of the first row that is not empty; none if they cannot be read so."""
    try:
        return next(cells for cells in csv.reader(
            io.StringIO(text, newline=''), delimiter=delimiter, strict=True)
            if any(cell.strip() for cell in cells))
    except (StopIteration, csv.Error):
        return []


def full_rows(found: LabelFile, table: TextTable) -> list[tuple[str, dict[str, str]]]:
    """Rows of a table by column, with their places; one with cells too many or few is a problem."""
    rows = []
    for number, cells in table.lines:
        if len(cells) == len(table.header):
            rows.append((f'line {number}', dict(zip(table.header, cells))))
        else:
            found.problems += found.bad(f'line {number}', f'has {len(cells)} cells, the header '
                                        f'{len(table.header)}').problems
    return rows


def find_columns(found: LabelFile, header: Sequence[str], fields: Sequence[str],
                 given: Optional[Mapping[str, str]] = None,
                 can_say: bool = True) -> dict[str, str]:
    """Find the columns of a table by their usual names.

    Args:
        found (LabelFile): The file, for errors.
        header (Sequence[str]): Names of its columns.
        fields (Sequence[str]): What is looked for, keys of ``COLUMNS``.
        given (Mapping[str, str], optional): Columns that are known, by field. Defaults to None.
        can_say (bool): Whether a user can say which column is which. Defaults to True.

    Returns:
        dict[str, str]: Names of columns by field, of those that are there.

    Raises:
        TALDataError: If a column is there twice, or several have names that mean the same.
        ValueError: If ``given`` has an unknown field.
    """
    given = dict(given or {})
    unknown = [field for field in given if field not in fields]
    if unknown:
        raise ValueError(f'columns: there is no field {unknown[0]!r}, but {", ".join(fields)}')
    plain = {name: _plain(name) for name in header}
    columns = {}
    for field, wanted in given.items():
        # as it is written, or else in any case
        names = ([name for name in header if name == wanted]
                 or [name for name in header if plain[name] == _plain(wanted)])
        if len(names) != 1:
            number = f'{len(names)} columns' if names else 'no column'
            raise found.bad('header', f'has {number} {shown(wanted)} for {field}; it has '
                            f'{_listed(header)}')
        columns[field] = names[0]
    for field in fields:
        names = [name for name in header
                 if plain[name] in COLUMNS[field] and name not in columns.values()]
        if field in columns:
            continue
        if len(names) > 1:
            raise found.bad('header', f'has several columns for {field}: {_listed(names)}'
                            + _say('which one it is', {field: names[0]}, can_say))
        if names:
            columns[field] = names[0]
    twice = [name for name in columns.values() if list(header).count(name) > 1]
    if twice:
        raise found.bad('header', f'has the column {shown(twice[0])} twice')
    return columns


def require_columns(found: LabelFile, header: Sequence[str], columns: Mapping[str, str],
                    fields: Sequence[str], can_say: bool = True) -> None:
    """Raise TALDataError, with a list of all columns, if those of some fields are missing."""
    missing = [field for field in fields if field not in columns]
    if missing:
        names = '; '.join(f'{field} ({", ".join(COLUMNS[field]) or "any name"})'
                          for field in missing)
        free = [name for name in header if name not in columns.values()]
        raise found.bad('header', f'has no column for {names}; it has {_listed(header)}'
                        + _say('which they are', dict(zip(missing, free)), can_say))


def _say(what: str, example: Mapping[str, str], can_say: bool) -> str:
    """How to say it; '' where that is not possible, or there is no column left."""
    words = ' '.join(shlex.quote(f'{field}={name}') for field, name in example.items())
    return f'; say {what}, such as --columns {words}' if words and can_say else ''


def _plain(name: str) -> str:
    """A name without its case, unit and blanks."""
    return re.sub(r'[\s_\-]+', '', _UNIT.sub('', name.strip().casefold()))


def _listed(names: Sequence[str]) -> str:
    return ', '.join(map(repr, names[:30])) + (', ...' if len(names) > 30 else '')
