"""Resampling to a fixed length."""
import numpy as np
import torch
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

from .sample import sample_rows


def resample(rows: np.ndarray, length: int) -> np.ndarray:
    """Interpolate linearly, as ``F.interpolate`` does with ``align_corners=False``.

    Args:
        rows (np.ndarray): (T, C) float32.
        length (int): Steps of the result.

    Returns:
        np.ndarray: (length, C) float32.
    """
    total = len(rows)
    # Both sequences share the same stretch evenly; before the first centre and after the last
    # there is nothing to interpolate with.
    position = (torch.arange(length, dtype=torch.float64) + 0.5) * (total / length) - 0.5
    position.clamp_(0, total - 1)
    low = position.long()
    high = (low + 1).clamp_(max=total - 1)
    rows = torch.from_numpy(rows)
    return rows[low].lerp_(rows[high], (position - low)[:, None].float()).numpy()


@TRANSFORMS.register_module()
class ResizeFeature(BaseTransform):
    """Resample a feature sequence to a fixed length by linear interpolation.

    What ActivityNet-1.3's models train and test on: videos of any length become equally long.
    The new steps share the covered frames evenly (:meth:`FeatureGrid.resize`); segments keep
    their seconds. A sequence that has the length already keeps its values, but not its grid:
    where the window is longer than the stride, the rule moves it, as it moves all others.

    Required and modified keys: ``rows`` (T, C), ``grid``; ``gt_segments`` when present.

    Args:
        length (int): Steps of the result.
        average (bool): Whether a step is the mean of ceil(T / length) values spread over what it
            covers, as RoI align has it, rather than the one in its middle. No other result for
            sequences that are not longer. Defaults to False.

    Raises:
        ValueError: If ``length`` is not positive.
    """

    def __init__(self, length: int, average: bool = False):
        if length < 1:
            raise ValueError(f'length must be positive, got {length}')
        self.length = length
        self.average = average

    def transform(self, results: dict) -> dict:
        """Resample one sample.

        Args:
            results (dict): See the class.

        Returns:
            dict: The same dict with the modified keys.

        Raises:
            TypeError: If the sample has ``feats``, of version 0.1.0.
            ValueError: If the sample is a crop.
        """
        rows, grid = sample_rows(results, self), results['grid']
        new_grid = grid.resize(self.length)
        if len(rows) != self.length:
            values = -(-len(rows) // self.length) if self.average else 1
            rows = resample(rows, self.length * values)
            results['rows'] = rows.reshape(self.length, values, -1).mean(axis=1)
        results['grid'] = new_grid
        if 'gt_segments' in results:
            seconds = grid.to_seconds(results['gt_segments'].astype(np.float64))
            results['gt_segments'] = new_grid.to_grid(seconds).astype(np.float32)
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(length={self.length}, average={self.average})'
