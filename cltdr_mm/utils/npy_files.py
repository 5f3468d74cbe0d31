"""NumPy's files, ``.npy`` and ``.npz``: headers are checked before memory is taken."""
import math
import threading
import zipfile
from pathlib import Path
from typing import BinaryIO, Optional, Union

import numpy as np

from .sizes import size_problem

#: Held while NumPy parses a header: Python's parser, up to 3.11.7 and 3.12.1, fails now and then
#: with "AST constructor recursion depth mismatch" if two threads are in it.
PARSING = threading.RLock()


class ArrayFileError(ValueError):
    """Raised when an array cannot be read; the message does not repeat the path."""


def npy_header(file: BinaryIO, size: int) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and type of an array.

    Args:
        file (BinaryIO): At the beginning of the ``.npy`` file; it is left at the first value.
        size (int): Bytes of that file.

    Returns:
        tuple: Shape and type.

    Raises:
        ArrayFileError: If it holds no plain array, less than the header says, or more than may be
            taken.
        ValueError: If it is no ``.npy`` file.
    """
    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0)):  # 3.0 is of structured types with unicode field names only
        raise ArrayFileError(f'is written in .npy version {version}, which holds no plain array')
    with PARSING:
        shape, _, dtype = (np.lib.format.read_array_header_1_0 if version == (1, 0)
                           else np.lib.format.read_array_header_2_0)(file)
    if dtype.hasobject:
        raise ArrayFileError('holds pickled Python objects, not a plain array')
    if min(shape, default=0) < 0:
        raise ArrayFileError(f'has a header of the impossible shape {shape}')
    taken = math.prod(shape) * dtype.itemsize
    missing = file.tell() + taken - size
    if missing > 0:
        raise ArrayFileError(f'is cut short: {missing} bytes are missing')
    refuse_size(taken)
    return shape, dtype


def refuse_size(size: int, stored: Optional[int] = None) -> None:
    """Raise ArrayFileError for what is too large, see :func:`.size_problem`."""
    why = size_problem(size, stored)
    if why is not None:
        raise ArrayFileError(why)


def read_npy(path: Union[str, Path]) -> np.ndarray:
    """Read an ``.npy`` file.

    Args:
        path (str or Path): The file.

    Returns:
        np.ndarray: Its array.

    Raises:
        ArrayFileError, ValueError, OSError: See :func:`npy_header`.
    """
    with open(path, 'rb') as file:
        npy_header(file, Path(path).stat().st_size)
    with PARSING:
        return np.load(path, allow_pickle=False)


def npz_members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The arrays of an open ``.npz`` file by name."""
    return {info.filename[:-4]: info for info in archive.infolist()
            if info.filename.endswith('.npy')}


def npz_header(archive: zipfile.ZipFile,
               info: zipfile.ZipInfo) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and type of an array of an ``.npz`` file, see :func:`npy_header`."""
    refuse_size(info.file_size, info.compress_size)  # before the header, which is compressed too
    with archive.open(info) as member:
        return npy_header(member, info.file_size)


def read_npz_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> np.ndarray:
    """Read an array of an ``.npz`` file; its checksum is verified on the way.

    Args:
        archive (zipfile.ZipFile): The open file.
        info (zipfile.ZipInfo): From :func:`npz_members`, or any ``.npy`` member.

    Returns:
        np.ndarray: The array.

    Raises:
        ArrayFileError, ValueError, OSError, zipfile.BadZipFile: See :func:`npy_header`.
    """
    npz_header(archive, info)
    with archive.open(info) as member, PARSING:
        return np.lib.format.read_array(member, allow_pickle=False)
