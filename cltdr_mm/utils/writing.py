"""Writes files that are there completely or not at all."""
import argparse
import errno
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Optional, Union

_PART = '.part'  # in names of files that are still being written


@contextmanager
def atomic_path(path: Union[str, Path]) -> Iterator[str]:
    """Give a temporary path to write to, which takes the place of ``path`` on success.

    Whatever interrupts the writing, a crash of the machine included, leaves either the old file
    or none, never half of one.

    Args:
        path (str or Path): Where the file shall be; missing folders are made.

    Yields:
        str: A path in the same folder, with the same extension.

    Examples:
        >>> with atomic_path('model.pth') as temporary:
        ...     torch.save(state, temporary)
    """
    path = Path(path).absolute()
    if path.is_dir():  # found now rather than when it is to be replaced
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(_PART + path.suffix, '.', path.parent)
    os.close(handle)
    try:
        yield temporary
        with open(temporary, 'rb+') as file:  # whoever wrote it: on the disk before it is renamed
            os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)  # mkstemp makes files that only their owner reads
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def remove_parts(folder: Union[str, Path]) -> None:
    """Remove what :func:`atomic_path` left in a folder when its process was killed.

    Args:
        folder (str or Path): One that no other process writes to.
    """
    for path in Path(folder).glob(f'.*{_PART}*'):
        path.unlink(missing_ok=True)


def out_folder(path: str) -> str:
    """For ``type=`` of an argument: a folder to write to, which need not be there yet.

    What cannot be written is found when the command line is read, not when the work is done.
    """
    there = next(parent for parent in (Path(path).absolute(), *Path(path).absolute().parents)
                 if parent.exists())
    if not there.is_dir():
        raise argparse.ArgumentTypeError(f'{there} is a file, not a folder')
    if not os.access(there, os.W_OK):
        raise argparse.ArgumentTypeError(f'{there} cannot be written to')
    return path


def out_file(path: str) -> str:
    """For ``type=`` of an argument: a file to write, see :func:`out_folder`."""
    if os.path.isdir(path):
        raise argparse.ArgumentTypeError(f'{path} is a folder, not a file')
    out_folder(os.path.dirname(path) or '.')
    return path


def write_json(content: Any, path: Union[str, Path], indent: Optional[int] = None) -> None:
    """Write a JSON file through :func:`atomic_path`.

    Args:
        content: What ``json.dumps`` takes, without NaN.
        path (str or Path): Where to; missing folders are made.
        indent (int, optional): As in ``json.dumps``. Defaults to None: all in one line.

    Raises:
        ValueError: If ``content`` holds NaN, which is no JSON; nothing is written then.
        OSError: If the file cannot be written.
    """
    text = json.dumps(content, allow_nan=False, indent=indent)
    with atomic_path(path) as temporary:
        Path(temporary).write_text(text, encoding='utf-8')
