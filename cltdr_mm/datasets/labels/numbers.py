"""Times and numbers in tables as people and spreadsheets write them."""
import math
import re
from collections.abc import Callable

from ...utils.json_files import shown
from ..converters.sources import Fields

_NUMBER = re.compile(r'[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d{1,3})?', re.ASCII)
_CLOCK = re.compile(r'(?:(\d{1,6}):)?(\d{1,6}):(\d{1,2}(?:[.,]\d*)?)', re.ASCII)


class NumberReader:
    """Reads the numbers of one file, which has decimal points or decimal commas, not both.

    Args:
        delimiter (str): What separates the cells of the file.
    """

    def __init__(self, delimiter: str):
        self.delimiter = delimiter
        self.mark = ''

    def number(self, text: str) -> float:
        """A number such as ``12``, ``12.5`` or ``12,5``.

        Raises:
            ValueError: If it is none, or its comma may be one between thousands; the message says
                what it must be.
        """
        text = text.strip()
        if not _NUMBER.fullmatch(text):
            raise ValueError(f'must be a number, got {shown(text)}')
        value = float(self._with_point(text))
        if not math.isfinite(value):
            raise ValueError(f'must be finite, got {shown(text)}')
        return value

    def seconds(self, text: str) -> float:
        """A time: a number of seconds, ``mm:ss`` or ``hh:mm:ss``, with fractions of a second.

        Raises:
            ValueError: See :meth:`number`.
        """
        text = text.strip()
        clock = _CLOCK.fullmatch(text)
        if clock is None:
            if not _NUMBER.fullmatch(text):
                raise ValueError(f'must be seconds or hh:mm:ss, got {shown(text)}')
            return self.number(text)
        hours, minutes, seconds = clock.groups()
        seconds = float(self._with_point(seconds))
        if seconds >= 60 or (hours is not None and int(minutes) >= 60):
            raise ValueError(f'must be seconds or hh:mm:ss, with less than 60 minutes and seconds, '
                             f'got {shown(text)}')
        return 3600 * int(hours or 0) + 60 * int(minutes) + seconds

    def _with_point(self, text: str) -> str:
        mark = next((mark for mark in '.,' if mark in text), '')
        if mark and self.mark and mark != self.mark:
            raise ValueError(f'{shown(text)} has a decimal {_word(mark)}, but numbers before it '
                             f'have decimal {_word(self.mark)}s')
        if mark == ',' and self.delimiter == ',' and re.fullmatch(r'[+-]?\d{1,3},\d{3}', text):
            raise ValueError(f'{shown(text)} may be thousands or have a decimal comma; write it '
                             'with a decimal point')
        self.mark = self.mark or mark
        return text.replace(',', '.')


def _word(mark: str) -> str:
    return dict(zip('.,', ('point', 'comma')))[mark]


def read_cell(row: Fields, column: str, read: Callable[[str], float]) -> float:
    """The number in a cell of a table.

    Args:
        row (Fields): The row, texts by column.
        column (str): The column.
        read (Callable): A method of :class:`NumberReader`.

    Raises:
        TALDataError: If the cell is empty or holds something else.
    """
    text = row.text(column)
    try:
        return read(text)
    except ValueError as error:
        raise row.bad(column, str(error)) from error
