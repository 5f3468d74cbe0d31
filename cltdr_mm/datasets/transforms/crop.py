"""Random crops along time."""
from collections.abc import Sequence
from typing import Optional

import numpy as np
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

from ..windows import cut_segments, visible_fraction, visible_range
from .sample import sample_rows


@TRANSFORMS.register_module()
class RandomCropFeature(BaseTransform):
    """Cut a random stretch out of a feature sequence that shows at least one instance.

    A sequence longer than ``max_len`` is cut to ``max_len``; a shorter one to a random part of
    its length within ``crop_ratio``. Among the positions that show at least one instance by
    ``trunc_thresh`` of its length, one is drawn with equal chances. Instances shown by less are
    dropped, the others clipped to what the crop shows. When no position shows enough of any
    instance (all are longer than the crop by far), the one that shows the largest part of one
    is taken and that instance is kept: an action that fills the crop is no background.

    The recipe is ActionFormer's (ECCV 2022), which TriDet and CLTDR-GMG train with.

    Required and modified keys: ``rows`` (T, C), ``grid``, ``gt_segments`` (N, 2) grid steps,
    ``gt_labels`` (N,).

    Args:
        max_len (int): Steps to keep at most. Defaults to 2304.
        trunc_thresh (float): Part of its length that a kept instance must show. Defaults to 0.5.
        crop_ratio (Sequence[float], optional): Smallest and largest part kept of a sequence no
            longer than ``max_len``. Defaults to None: such a sequence stays whole.

    Raises:
        ValueError: If an argument is out of range.
    """

    # Draws before all positions are examined; either way valid ones have equal chances.
    CHEAP_TRIALS = 16

    def __init__(self,
                 max_len: int = 2304,
                 trunc_thresh: float = 0.5,
                 crop_ratio: Optional[Sequence[float]] = None):
        if max_len < 1:
            raise ValueError(f'max_len must be positive, got {max_len}')
        if not 0 <= trunc_thresh <= 1:
            raise ValueError(f'trunc_thresh must lie in [0, 1], got {trunc_thresh}')
        if crop_ratio is not None and not 0 < crop_ratio[0] <= crop_ratio[1] <= 1:
            raise ValueError(f'crop_ratio must satisfy 0 < low <= high <= 1, got {crop_ratio}')
        self.max_len = max_len
        self.trunc_thresh = trunc_thresh
        self.crop_ratio = None if crop_ratio is None else tuple(crop_ratio)

    def _length(self, total: int, max_len: int) -> int:
        """Steps to keep of ``total``."""
        if total > max_len:
            return max_len
        if self.crop_ratio is None:
            return total
        low, high = (max(1, round(ratio * total)) for ratio in self.crop_ratio)
        return int(np.random.randint(low, high + 1))

    def _position(self, segments: np.ndarray, total: int, length: int, stride: float,
                  window: float) -> tuple[int, Optional[int]]:
        """First step of the crop, and the instance to keep in any case (or None)."""
        last = total - length
        for _ in range(self.CHEAP_TRIALS):
            start = int(np.random.randint(last + 1))
            shown = visible_fraction(segments, *visible_range(start, length, stride, window))
            if len(segments) == 0 or ((shown >= self.trunc_thresh) & (shown > 0)).any():
                return start, None
        starts = np.arange(last + 1)
        low, high = visible_range(starts[:, None], length, stride, window)
        shown = visible_fraction(segments, low, high)  # (starts, N)
        valid = starts[((shown >= self.trunc_thresh) & (shown > 0)).any(1)]
        if len(valid):
            return int(np.random.choice(valid)), None
        best = np.flatnonzero(shown.max(1) == shown.max())
        start = int(np.random.choice(best))
        return start, int(shown[start].argmax())

    def transform(self, results: dict) -> dict:
        """Crop one sample.

        Args:
            results (dict): See the class.

        Returns:
            dict: The same dict with the modified keys.

        Raises:
            TypeError: If the sample has ``feats``, of version 0.1.0.
        """
        rows, grid = sample_rows(results, self), results['grid']
        total = len(rows)
        start, length, segments, kept = self.draw(
            results['gt_segments'].astype(np.float64), total, self.max_len, grid.stride,
            grid.window)
        if length == total:
            return results
        rows = rows[start:start + length]
        # A stretch of rows is contiguous, and a worker sends it alone: most crops stay views. A
        # short one would keep a video of hours in memory until its batch is through.
        results['rows'] = rows.copy() if length < total // 2 else rows
        results['grid'] = grid.crop(start, length)
        results['gt_segments'] = segments.astype(np.float32)
        results['gt_labels'] = results['gt_labels'][kept]
        return results

    def draw(self, segments: np.ndarray, total: int, max_len: int, stride: float,
             window: float) -> tuple[int, int, np.ndarray, np.ndarray]:
        """Draw a crop of a sequence.

        Args:
            segments (np.ndarray): (N, 2) float64, in steps of the sequence.
            total (int): Its length.
            max_len (int): Steps to keep at most.
            stride (float): Frames between two steps.
            window (float): Frames that one step sees.

        Returns:
            tuple: Its first step and its length; the segments (M, 2) that stay, in its steps, and
            their positions (M,) among the N.
        """
        length = self._length(total, max_len)
        if length == total:
            return 0, total, segments, np.arange(len(segments))
        start, forced = self._position(segments, total, length, stride, window)
        low, high = visible_range(start, length, stride, window)
        edges = dict(clip_low=start > 0, clip_high=start + length < total)
        cut, kept = cut_segments(segments, low, high, self.trunc_thresh, **edges)
        if forced is not None:
            one, seen = cut_segments(segments[forced:forced + 1], low, high, 0.0, **edges)
            cut, kept = one, seen + forced  # empty when it lies outside the features
        return start, length, cut - start, kept

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(max_len={self.max_len}, '
                f'trunc_thresh={self.trunc_thresh}, crop_ratio={self.crop_ratio})')
