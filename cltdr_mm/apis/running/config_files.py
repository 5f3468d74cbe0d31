"""Reads config files, which are programs: what is wrong in one is said by file and line."""
import os
import traceback
from pathlib import Path
from typing import Union

from mmengine.config import Config

from ...resources import config_path
from ...utils.exits import error_line
from ...utils.problems import looked_from

_ENDINGS = '.py', '.yml', '.yaml', '.json'


def find_config(name: str) -> str:
    """Find a config file.

    Args:
        name (str): Its path, or what :func:`.config_path` takes: ``'cltdr_thumos'``.

    Returns:
        str: Its path.

    Raises:
        FileNotFoundError: If there is neither; names similar ones of this library.
    """
    if os.path.isfile(name):
        return name
    try:
        return str(config_path(name))
    except FileNotFoundError as error:
        raise FileNotFoundError(f'there is no config {name} ({error})') from None


def config_from_file(path: Union[str, Path]) -> Config:
    """Read a config file with all that it inherits.

    Args:
        path (str or Path): The file.

    Returns:
        Config: The config, which holds something.

    Raises:
        ValueError: If it cannot be read, or is empty; names the file, or the one of those that it
            inherits, and the line.
    """
    path = str(path)
    if os.path.isfile(path) and not path.endswith(_ENDINGS):
        raise ValueError(f'{path}: is no config (.py); of labels `cltdr labels` makes an '
                         'annotation file (.json), which `cltdr check` takes as well, and of that '
                         '`cltdr init` makes a config')
    try:
        cfg = Config.fromfile(path)
    except RecursionError:
        raise ValueError(f'{path}: cannot be read: its `_base_` leads back to itself') from None
    except Exception as error:  # it is a program, and may raise anything
        raise ValueError(f'{_where(error, path)}: {_why(error, path)}') from error
    if not len(cfg):
        raise ValueError(f'{path}: is empty')
    if path.endswith('.json') and 'database' in cfg:
        raise ValueError(f'{path}: is an annotation file, no config: `cltdr init` makes one of it')
    return cfg


def _where(error: Exception, path: str) -> str:
    """The file at which reading stopped, and the line if one was running or being parsed."""
    if isinstance(error, OSError):  # which names its file
        return f'{path}: cannot be read'
    file, line = os.path.abspath(path), getattr(error, 'lineno', None)
    for frame, number in traceback.walk_tb(error.__traceback__):
        if frame.f_globals.get('__name__') == 'mmengine.config.config':
            file = os.path.abspath(frame.f_locals.get('filename') or file)
        elif frame.f_code.co_filename == file:
            line = number
    name = path if file == os.path.abspath(path) else file
    return f'{name}: cannot be read' + ('' if line is None else f': line {line}')


def _why(error: Exception, path: str) -> str:
    if isinstance(error, OSError) and error.filename == path:
        return error.strerror + looked_from(path)
    if isinstance(error, SyntaxError):
        return f'SyntaxError: {error.msg}'
    if str(error).startswith('Failed to import custom modules'):  # and all of sys.path after that
        while error.__cause__ or error.__context__:
            error = error.__cause__ or error.__context__
        return f'custom_imports: {error}'
    return error_line(error)
