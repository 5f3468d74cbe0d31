"""Cutting feature sequences: where sliding windows lie, and what a cut leaves of the segments."""
from dataclasses import dataclass
from typing import Optional, Union

import numpy as np

from ..structures import FeatureGrid


def sample_grid(info: dict, num_steps: int) -> FeatureGrid:
    """Grid of a video's whole feature sequence.

    Args:
        info (dict): Sample with ``fps``, ``stride``, ``window`` and ``duration``. A ``stride`` of
            None says that the sequence was resampled: its steps share the video evenly.
        num_steps (int): Length of the sequence.

    Returns:
        FeatureGrid: Starting at step 0.
    """
    stride, window = info['stride'], info['window']
    if stride is None:
        stride = window = info['duration'] * info['fps'] / num_steps
    return FeatureGrid(fps=info['fps'], stride=stride, window=window, num_steps=num_steps)


def visible_range(start: float, num_steps: int, stride: float,
                  window: float) -> tuple[float, float]:
    """What the steps ``start`` to ``start + num_steps - 1`` see, in steps of their sequence.

    A step describes ``window`` frames around its centre, or the ``stride`` frames it stands for
    when the window is shorter than that.

    Args:
        start (float): First step.
        num_steps (int): Number of steps.
        stride (float): Frames between two steps.
        window (float): Frames one step sees.

    Returns:
        tuple[float, float]: First and last position seen.
    """
    half = 0.5 * max(window / stride, 1.0)
    return start - half, start + num_steps - 1 + half


def visible_fraction(segments: np.ndarray, low: Union[float, np.ndarray],
                     high: Union[float, np.ndarray]) -> np.ndarray:
    """Part of each segment's length that lies within ``[low, high]``.

    Args:
        segments (np.ndarray): (N, 2), any unit.
        low (float or np.ndarray): Bounds in the same unit: numbers, or (S, 1) for S cuts at once.
        high (float or np.ndarray): See ``low``.

    Returns:
        np.ndarray: (N,) or (S, N), in [0, 1].
    """
    starts, ends = segments[:, 0], segments[:, 1]
    inside = np.minimum(ends, high) - np.maximum(starts, low)
    # lengths are positive for checked annotations; the bound only keeps 0 / 0 away
    return np.clip(inside, 0, None) / np.maximum(ends - starts, 1e-9)


def cut_segments(segments: np.ndarray,
                 low: float,
                 high: float,
                 min_visible: float,
                 clip_low: bool = True,
                 clip_high: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Segments that a cut keeps, clipped to it.

    Args:
        segments (np.ndarray): (N, 2), any unit.
        low (float): First position seen after the cut, in the same unit.
        high (float): Last position seen.
        min_visible (float): Smallest part of its length that a kept segment must show.
        clip_low (bool): Whether the cut removed something before ``low``; if not, starts stay
            as they are. Defaults to True.
        clip_high (bool): Likewise for ``high`` and ends. Defaults to True.

    Returns:
        tuple[np.ndarray, np.ndarray]: The kept segments (M, 2), and their positions (M,) int64
        among the N.
    """
    fraction = visible_fraction(segments, low, high)
    kept = np.flatnonzero((fraction >= min_visible) & (fraction > 0))
    cut = segments[kept].copy()
    if clip_low:
        cut[:, 0] = np.maximum(cut[:, 0], low)
    if clip_high:
        cut[:, 1] = np.minimum(cut[:, 1], high)
    return cut, kept


def window_starts(num_steps: int, size: int, overlap: Union[int, float] = 0.5) -> list[int]:
    """First steps of the windows that cover a sequence.

    All windows have ``size`` steps; the last one ends with the sequence and so may overlap its
    neighbour by more than asked.

    Args:
        num_steps (int): Length of the sequence.
        size (int): Steps per window.
        overlap (int or float): Steps (int) or part of ``size`` (float in [0, 1)) that
            neighbours share. Defaults to 0.5.

    Returns:
        list[int]: ``[0]`` when the sequence is no longer than a window.

    Raises:
        ValueError: If ``size`` is not positive or the windows would not move on.
    """
    shared = int(round(overlap * size)) if isinstance(overlap, float) else overlap
    if size < 1 or not 0 <= shared < size:
        raise ValueError(f'windows of {size} steps cannot overlap by {shared} steps')
    if num_steps <= size:
        return [0]
    starts = list(range(0, num_steps - size, size - shared))
    return starts + [num_steps - size]


@dataclass(frozen=True)
class WindowSettings:
    """The sliding windows of a data set.

    Args:
        size (int): Steps per window.
        overlap (int or float): See :func:`window_starts`. Defaults to 0.5.
        min_visible (float): See :func:`cut_segments`. Defaults to 0.5.

    Raises:
        ValueError: If a value makes no sense.
    """

    size: int
    overlap: Union[int, float] = 0.5
    min_visible: float = 0.5

    def __post_init__(self):
        window_starts(1, self.size, self.overlap)
        if not 0 <= self.min_visible <= 1:
            raise ValueError(f'window: min_visible must lie in [0, 1], got {self.min_visible}')

    @classmethod
    def from_cfg(cls, window: Optional[dict]) -> Optional['WindowSettings']:
        """Settings of the ``window`` argument of a dataset; None stays None.

        Raises:
            ValueError: If a key is unknown or missing, or a value makes no sense.
        """
        if window is None:
            return None
        if not {'size'} <= set(window) <= {'size', 'overlap', 'min_visible'}:
            raise ValueError('window takes size, overlap and min_visible, got '
                             f'{sorted(window)}')
        return cls(**window)

    def cut(self, num_steps: int) -> list[dict]:
        """Windows of a sequence.

        Args:
            num_steps (int): Its length.

        Returns:
            list[dict]: ``window_start`` and ``window_size`` in steps, ``window_index`` and
            ``num_windows``, as samples have them.
        """
        starts = window_starts(num_steps, self.size, self.overlap)
        return [dict(window_start=start, window_size=min(self.size, num_steps),
                     window_index=index, num_windows=len(starts))
                for index, start in enumerate(starts)]


def cut_windows(info: dict, settings: WindowSettings) -> list[dict]:
    """Cut one video's sample into its sliding windows, ground truth included.

    Args:
        info (dict): Sample of a dataset, with ``num_steps``; see :class:`.TALDataset`.
        settings (WindowSettings): How.

    Returns:
        list[dict]: A sample per window.
    """
    total = info['num_steps']
    grid = sample_grid(info, total)
    samples = []
    for window in settings.cut(total):
        start, size = window['window_start'], window['window_size']
        low, high = visible_range(start, size, grid.stride, grid.window)
        segments, kept = cut_segments(
            info['gt_segments'], grid.to_seconds(low), grid.to_seconds(high),
            settings.min_visible, clip_low=start > 0, clip_high=start + size < total)
        samples.append(dict(info, gt_segments=segments, gt_labels=info['gt_labels'][kept],
                            **window))
    return samples
