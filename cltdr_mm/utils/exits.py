"""How a program of this project ends when something goes wrong: in one line, not in a traceback."""
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn, Optional, Union

from mmengine.config import Config

from .explained import explain, place
from .problems import TALDataError, looked_from

#: Set to anything but 0, it lets tracebacks through.
DEBUG = 'CLTDR_DEBUG'
#: What the system says of a path, where it could be said better.
_PATHS = {FileExistsError: 'is a file, not a folder', IsADirectoryError: 'is a folder, not a file',
          NotADirectoryError: 'part of this path is a file, not a folder'}
#: What input, files and options cause; other errors keep their traceback.
INPUT_ERRORS = (ImportError, KeyError, OSError, TypeError, ValueError)
INTERRUPTED = 130  # exit status of a program that Ctrl-C stopped, 128 + SIGINT

Kinds = tuple[type[BaseException], ...]


@contextmanager
def exit_on_error(kinds: Union[Kinds, Callable[[], Kinds]] = INPUT_ERRORS,
                  advice: Callable[[], str] = lambda: '',
                  cfg: Optional[Config] = None) -> Iterator[None]:
    """End a program with one line that says what went wrong, as a context or a decorator.

    All programs in ``tools/`` go through here. With ``CLTDR_DEBUG=1`` in the environment errors
    keep their traceback.

    Args:
        kinds (tuple or Callable): Types of errors that end so, or a function that gives them when
            one happens. Defaults to ``INPUT_ERRORS``.
        advice (Callable): What to do next, asked for when it is needed. Defaults to none.
        cfg (Config, optional): The config at work, in which a message names the place.
            Defaults to None.

    Raises:
        SystemExit: With the line, exit status 1; 130 after Ctrl-C.
    """
    try:
        yield
    except (Exception, KeyboardInterrupt) as error:
        if _debug():
            raise
        if _interrupted(error):
            _leave('stopped', advice(), INTERRUPTED)
        if not isinstance(error, kinds() if callable(kinds) else kinds):
            raise
        _leave(f'error: {error_line(error, cfg)}', advice(), 1)


def error_line(error: BaseException, cfg: Optional[Config] = None) -> str:
    """What an error says, on one line; of several problems in data, a line each.

    Args:
        error (BaseException): The error.
        cfg (Config, optional): See :func:`exit_on_error`. Defaults to None.

    Returns:
        str: Its message, with the type where that says more.
    """
    if isinstance(error, TALDataError):
        # a data worker hands over its traceback too, which ends with the message
        return str(error).rpartition(f'{TALDataError.__name__}: ')[2].strip()
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        where = looked_from(error.filename) if isinstance(error, FileNotFoundError) else ''
        return f'{error.filename}: {_PATHS.get(type(error), error.strerror)}{where}'
    explained = explain(error, cfg or {})
    if explained is not None:
        return explained
    text, where = _plain_line(error), '' if isinstance(error, OSError) else place(error, cfg or {})
    return text if where in text else f'{where}: {text}'


def _plain_line(error: BaseException) -> str:
    # the text of a KeyError is the representation of its key
    text = error.args[0] if isinstance(error, KeyError) and error.args else error
    text = ' '.join(str(text).split())
    plain = isinstance(error, (FloatingPointError, ImportError, OSError, ValueError))
    if text and (plain or (isinstance(error, KeyError) and ' ' in text)):
        return text
    return f'{type(error).__name__}: {text} ({DEBUG}=1 shows where)'


def _interrupted(error: Optional[BaseException]) -> bool:
    """Whether it was Ctrl-C; some libraries catch that too, and raise an error of their own."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


def _debug() -> bool:
    return os.environ.get(DEBUG, '0') not in ('', '0')


def _leave(text: str, advice: str, status: int) -> NoReturn:
    text += f'; {advice}' if advice else ''
    if status == 1:
        raise SystemExit(text) from None  # Python prints it and exits with 1
    print(text, file=sys.stderr, flush=True)
    raise SystemExit(status) from None
