"""Reads JSON that others wrote: whatever is wrong with a file or a value becomes a problem.

Annotation files, result files, video-level scores and converters all come through here.
"""
import difflib
import functools
import gzip
import io
import json
import math
import reprlib
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, Optional, Union

from mmengine.fileio import get

from .problems import TALDataError, unreadable
from .sizes import max_bytes, size_problem

_REPR = reprlib.Repr()
_REPR.maxstring = _REPR.maxother = 80


def shown(value: Any) -> str:
    """Write a value for a message: long texts and numbers shortened, deep nesting cut."""
    return _REPR.repr(value)


@functools.lru_cache(maxsize=256)  # one wrong name comes often
def nearest(name: str, names: tuple[str, ...], number: int = 5) -> str:
    """Write some of the names that there are, those most like the one that is not first.

    Args:
        name (str): What is not among them.
        names (tuple[str, ...]): All that there are.
        number (int): How many are written at most. Defaults to 5.

    Returns:
        str: Such as ``"'open', 'close', ..."``.
    """
    found = difflib.get_close_matches(name[:100], names, min(number, len(names)) or 1, 0.0)
    return ', '.join(map(shown, found)) + (', ...' if len(names) > len(found) else '')


class JSONObject(dict):
    """A JSON object that remembers the keys it was given twice (the first value is kept)."""

    duplicates: tuple[str, ...] = ()


def keep_duplicates(pairs: list[tuple[str, Any]]) -> dict:
    """Make an object of its members, as ``object_pairs_hook`` of :func:`read_json`.

    Args:
        pairs (list[tuple]): Keys and values.

    Returns:
        dict: A plain one; a :class:`JSONObject` where a key is given twice.
    """
    plain = dict(pairs)
    if len(plain) == len(pairs):
        return plain
    result, duplicates = JSONObject(), []
    for key, value in pairs:
        if key in result:
            duplicates.append(key)
        else:
            result[key] = value
    result.duplicates = tuple(dict.fromkeys(duplicates))
    return result


def refuse_duplicates(pairs: list[tuple[str, Any]]) -> dict:
    """As :func:`keep_duplicates`, but a key that is given twice is an error.

    Raises:
        ValueError: If a key is.
    """
    result = keep_duplicates(pairs)
    if isinstance(result, JSONObject):
        raise ValueError(f'{shown(result.duplicates[0])} is given twice in one object')
    return result


def read_json(path: Union[str, Path], title: str, object_pairs_hook: Optional[Callable] = None,
              or_list: bool = False, member: Optional[str] = None) -> Any:
    """Read a file that holds a JSON object, with or without a byte order mark.

    Args:
        path (str or Path): Path, or a URI of an MMEngine file back end; compressed when it ends in
            ``.gz``.
        title (str): What the file is, for the error.
        object_pairs_hook (Callable, optional): As in :func:`json.loads`. Defaults to None.
        or_list (bool): Whether a list will do, too. Defaults to False.
        member (str, optional): File to read in a path that ends in ``.zip``. Defaults to None:
            such a path is read as any other.

    Returns:
        dict or list: What it holds.

    Raises:
        TALDataError: If it cannot be read or holds something else.
    """
    path = str(path)
    bad = functools.partial(TALDataError.of, title, path, 'file')
    try:
        data = get(path)
        if path.endswith('.gz'):
            data = _unzip(data)
        elif member is not None and path.lower().endswith('.zip'):
            data = _member(data, member)
        text = data.decode(json.detect_encoding(data))
    except (OSError, EOFError, ValueError, zlib.error, zipfile.BadZipFile) as error:
        raise bad(unreadable(path, error)) from error
    try:
        content = json.loads(text, object_pairs_hook=object_pairs_hook)
    except (ValueError, RecursionError) as error:  # ValueError: also a number of 5,000 digits
        raise bad(f'is not valid JSON ({error})') from error
    if not isinstance(content, (dict, list) if or_list else dict):
        raise bad(f'must hold a JSON object{" or a list" if or_list else ""}, got '
                  f'{type(content).__name__}')
    return content


def without_quotes(value: Any) -> Any:
    """A number that is written in quotes, as some published files have them, as a number.

    Args:
        value: Of any type.

    Returns:
        float or Any: The number; what is none, as it is.
    """
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            pass
    return value


def _unzip(data: bytes) -> bytes:
    """Decompress, but not more than may be taken; raises ValueError."""
    with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
        return _read(file, len(data))


def _member(data: bytes, name: str) -> bytes:
    """The file of a ZIP archive, but not more than may be taken; raises ValueError."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = archive.namelist()
        if name not in names:
            raise ValueError(f'there is no {name} in it, but {shown(names)}')
        try:
            with archive.open(name) as file:
                return _read(file, len(data))
        except (RuntimeError, NotImplementedError) as error:  # encrypted, or packed in a rare way
            raise ValueError(str(error)) from error


def _read(file: BinaryIO, packed: int) -> bytes:
    """All that a packed file of so many bytes holds; raises ValueError if that is too much."""
    text = file.read(max_bytes(packed) + 1)
    why = size_problem(len(text), packed)
    if why is not None:
        raise ValueError(why)
    return text


def number_problem(value: Any) -> Optional[str]:
    """Say why a value is no finite number; None when it is one."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return f'must be a number, got {type(value).__name__} {shown(value)}'
    try:
        finite = math.isfinite(value)
    except OverflowError:  # an integer beyond any float
        finite = False
    return None if finite else f'must be finite, got {shown(value)}'
