"""Feature streams of one video that were taken on different grids, on the grid of the first.

Step t of a stream of stride s and window w describes the frame t s + w / 2. Where the streams of a
data set have strides or windows of their own, the later ones are read at the frames of the first
one's steps, by linear interpolation between their neighbouring steps. Beyond its ends a stream
keeps its outermost step, at the end for half a step at most: there the sequence is cut.
"""
import math
from collections.abc import Sequence
from typing import Optional, Union

import numpy as np

#: Stride and window of a stream, in frames.
Grid = tuple[float, float]
Numbers = Union[float, Sequence[float], None]


def stream_grids(stride: Numbers, window: Numbers) -> Optional[tuple[Grid, ...]]:
    """Grids of the streams of a data set.

    Args:
        stride (float or Sequence[float], optional): ``feature_stride``: of all folders, or a list
            of one each.
        window (float or Sequence[float], optional): ``feature_window``, likewise.

    Returns:
        Optional[tuple]: Stride and window of each folder; None where neither is a list.

    Raises:
        ValueError: If the lists differ in length, or a number makes no sense.
    """
    lists = [list(value) for value in (stride, window) if isinstance(value, (list, tuple))]
    if not lists:
        return None
    number = len(lists[0])
    strides, windows = (list(value) if isinstance(value, (list, tuple)) else [value] * number
                        for value in (stride, window))
    windows = [s if w is None else w for s, w in zip(strides, windows)]
    if len(strides) != len(windows):
        raise ValueError('feature_stride and feature_window must be lists of one each for the '
                         f'feature folders, got {strides} and {windows}')
    if not all(isinstance(x, (int, float)) for x in (*strides, *windows)) or not (
            min(strides) > 0 and min(windows) >= 0):
        raise ValueError('feature_stride must be positive and feature_window not negative, numbers '
                         f'where one of them is a list: got {strides} and {windows}')
    return tuple(zip(strides, windows))


def aligned_steps(lengths: Sequence[int], grids: Optional[Sequence[Grid]]) -> list[int]:
    """How many steps of the first stream's grid each stream reaches.

    Args:
        lengths (Sequence[int]): Steps of each stream on its own grid.
        grids (Sequence[Grid], optional): Of each; None: all are on one grid.

    Returns:
        list[int]: Steps, no less than 0.
    """
    if grids is None:
        return list(lengths)
    stride, window = grids[0]
    last = [(n - 0.5) * s + 0.5 * w for n, (s, w) in zip(lengths, grids)]  # frames
    return [max(0, math.floor((frame - 0.5 * window) / stride + 1e-9) + 1) if n else 0
            for n, frame in zip(lengths, last)]


def aligned_rows(array: np.ndarray, grid: Grid, first: Grid, start: int,
                 stop: int) -> np.ndarray:
    """Some rows of a stream, on the first stream's grid.

    Args:
        array (np.ndarray): (T, C), the whole stream on its own grid.
        grid (Grid): Its own.
        first (Grid): The first stream's.
        start (int): First step, on the first stream's grid.
        stop (int): Step after the last one.

    Returns:
        np.ndarray: (stop - start, C) float32; a view where both grids are the same.
    """
    if grid == first:
        return array[start:stop]
    frames = np.arange(start, stop) * first[0] + 0.5 * first[1]
    position = np.clip((frames - 0.5 * grid[1]) / grid[0], 0, len(array) - 1)
    low = np.floor(position).astype(np.int64)
    share = (position - low)[:, None].astype(np.float32)
    part = np.asarray(array[low[0]:low[-1] + 2], dtype=np.float32)  # of a mapped file no more
    low -= low[0]
    return (1 - share) * part[low] + share * part[np.minimum(low + 1, len(part) - 1)]
