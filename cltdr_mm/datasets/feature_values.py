"""The values of feature arrays: as float32 rows in memory, and whether all are finite."""
from collections.abc import Sequence
from typing import Optional

import numpy as np
import torch

_TORCH_TYPES = (np.float16, np.float32, np.float64)


def as_float32(array: np.ndarray) -> np.ndarray:
    """Convert to float32; values that it cannot hold become infinite, which checks then find."""
    if array.dtype == np.float32:
        return array
    result = np.empty(array.shape, np.float32)
    _write(result, array)
    return result


def as_rows(parts: Sequence[np.ndarray], copy: bool = True) -> np.ndarray:
    """Lay arrays side by side, cut to the shortest.

    Args:
        parts (Sequence[np.ndarray]): (T_i, C_i) each, of any type and memory layout; a
            memory-mapped file is read here.
        copy (bool): Whether a single array that is (T, C) float32 in memory already is copied as
            well. Defaults to True.

    Returns:
        np.ndarray: (min T_i, sum C_i) float32, C-contiguous, writable, in memory.
    """
    first = parts[0]
    if (not copy and len(parts) == 1 and not isinstance(first, np.memmap)
            and first.dtype == np.float32 and first.flags.carray):
        return first
    steps = min(len(part) for part in parts)
    rows = np.empty((steps, sum(part.shape[1] for part in parts)), np.float32)
    channel = 0
    for part in parts:
        _write(rows[:, channel:channel + part.shape[1]], part[:steps])
        channel += part.shape[1]
    return rows


def find_nonfinite(array: np.ndarray) -> Optional[tuple[int, int]]:
    """Step and channel of the first NaN or infinite value.

    Args:
        array (np.ndarray): (T, C) float32.

    Returns:
        Optional[tuple[int, int]]: None when all values are finite.
    """
    # NaN and inf survive a sum, so that a finite one speaks for all its terms; one pass, without
    # an array of flags. Large values may overflow in it: only then every value is looked at.
    with np.errstate(over='ignore', invalid='ignore'):
        if np.isfinite(array.sum(axis=0)).all():
            return None
    found = np.argwhere(~np.isfinite(array))
    return (int(found[0, 0]), int(found[0, 1])) if len(found) else None


def _write(target: np.ndarray, source: np.ndarray) -> None:
    """Copy into float32: by torch what it takes, as NumPy transposes and widens much slower."""
    if (source.dtype in _TORCH_TYPES and source.flags.writeable
            and min(source.strides, default=0) >= 0):
        torch.from_numpy(target).copy_(torch.from_numpy(source))
    else:  # integers, another byte order, a user's reversed or read-only array
        with np.errstate(over='ignore'):
            target[...] = source
