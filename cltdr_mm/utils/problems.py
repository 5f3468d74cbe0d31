"""What is wrong with a data set, collected first and reported together.

The checks of a data set return :class:`Problem` objects instead of raising at the first one, so
that a user who prepares a data set sees all that needs fixing after one run.
"""
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Optional, Union

from mmengine.logging import MMLogger
from terminaltables import AsciiTable

MAX_SHOWN = 20  # problems printed in one error; the rest is counted


def one_line(text: str, longest: int = 500) -> str:
    """Write text that may come from a file for a message: what it holds cannot spoil the line.

    Args:
        text (str): Any text.
        longest (int): Characters that are shown, about; of longer text the middle is left out.
            Defaults to 500.

    Returns:
        str: On one line, with line breaks, control characters and halves of surrogate pairs
        escaped.
    """
    def cut(text: str) -> str:
        if len(text) <= longest:
            return text
        return f'{text[:longest * 2 // 3]} ... {text[-(longest // 3):]}'

    return cut(''.join(char if char.isprintable() else char.encode('unicode_escape').decode()
                       for char in cut(text)))


@dataclass(frozen=True)
class Problem:
    """One thing wrong in an annotation or a feature file; as text it is one line.

    Args:
        file (str): The file to look into.
        video (str, optional): The video concerned; None when the file as a whole is meant.
        field (str): Where in the file: a JSON field such as ``annotations[3].segment``, or what
            about a feature is wrong, such as ``channels``.
        message (str): What was found and what was expected.
    """

    file: str
    video: Optional[str]
    field: str
    message: str

    def __str__(self) -> str:
        video = '' if self.video is None else f'video {one_line(repr(self.video), 100)}: '
        return (f'{one_line(str(self.file), 1000)}: {video}{one_line(self.field, 100)}: '
                f'{one_line(self.message)}')


class TALDataError(ValueError):
    """Raised when annotations or features cannot be used as they are.

    Args:
        problems (Sequence[Problem] or str): All that was found, at least one; or a whole message,
            with which a data worker's error is raised again in the main process.
        title (str): What was checked; the message begins with it. Defaults to ``'bad data'``.
        hint (str): What to do about all of them; the message ends with it. Defaults to nothing.
    """

    def __init__(self, problems: Union[Sequence[Problem], str], title: str = 'bad data',
                 hint: str = ''):
        self.problems: list[Problem] = []
        if isinstance(problems, str):
            super().__init__(problems)
            return
        self.problems += problems
        if len(self.problems) == 1:
            super().__init__(f'{title}: {self.problems[0]}' + (f'; {hint}' if hint else ''))
            return
        lines = [f'{title}: {len(self.problems)} problems']
        lines += [f'  {problem}' for problem in self.problems[:MAX_SHOWN]]
        if len(self.problems) > MAX_SHOWN:
            lines.append(f'  ... and {len(self.problems) - MAX_SHOWN} more')
        super().__init__('\n'.join([*lines, hint] if hint else lines))

    @classmethod
    def of(cls, title: str, file: Union[str, Path], field: str, message: str,
           video: Optional[str] = None) -> 'TALDataError':
        """Make the error of a single :class:`Problem`; ``title`` says what was done or checked.

        Examples:
            >>> bad = partial(TALDataError.of, 'result file', path)
            >>> raise bad('results', 'is missing')
        """
        return cls([Problem(str(file), video, field, message)], title)


def looked_from(path: Union[str, Path]) -> str:
    """Say from where a relative path was looked up, to append to a message; '' for other paths."""
    path = str(path)
    return '' if os.path.isabs(path) or '://' in path else f', looked for from {os.getcwd()}'


def unreadable(path: Union[str, Path], error: Exception) -> str:
    """Say why a file cannot be read, for the message of a :class:`Problem`."""
    why = f'{type(error).__name__}: {getattr(error, "strerror", None) or error}'
    if isinstance(error, FileNotFoundError):
        why += looked_from(path)
    return f'cannot be read ({why})'


def report_problems(problems: Sequence[Problem], on_error: str, title: str) -> None:
    """Raise the problems, or log what is left out because of them.

    Args:
        problems (Sequence[Problem]): What was found; nothing happens when it is empty.
        on_error (str): ``'raise'`` or ``'skip'``.
        title (str): What was checked.

    Raises:
        TALDataError: If there are problems and ``on_error`` is ``'raise'``.
        ValueError: If ``on_error`` is neither of the two.
    """
    if on_error not in ('raise', 'skip'):
        raise ValueError(f"on_error must be 'raise' or 'skip', got {on_error!r}")
    if not problems:
        return
    if on_error == 'raise':
        raise TALDataError(problems, title)
    rows = [['video', 'field', 'why skipped', 'file']]
    rows += [[one_line(text, 100) for text in (p.video or '-', p.field, p.message, p.file)]
             for p in problems]
    MMLogger.get_current_instance().warning(
        f'{title}: skipped {len(problems)} item(s)\n{AsciiTable(rows).table}')
