"""Resampling to a fixed length."""
import numpy as np
import torch
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform
from torch.nn import functional as F


@TRANSFORMS.register_module()
class ResizeFeature(BaseTransform):
    """Resample a feature sequence to a fixed length by linear interpolation.

    What ActivityNet-1.3's models train and test on: videos of any length become equally long.
    The new steps share the covered frames evenly (:meth:`FeatureGrid.resize`); segments keep
    their seconds.

    Required and modified keys: ``feats`` (C, T), ``grid``; ``gt_segments`` when present.

    Args:
        length (int): Steps of the result.

    Raises:
        ValueError: If ``length`` is not positive.
    """

    def __init__(self, length: int):
        if length < 1:
            raise ValueError(f'length must be positive, got {length}')
        self.length = length

    def transform(self, results: dict) -> dict:
        """Resample one sample.

        Args:
            results (dict): See the class.

        Returns:
            dict: The same dict with the modified keys.
        """
        feats, grid = results['feats'], results['grid']
        if feats.shape[1] == self.length:
            return results
        resized = F.interpolate(
            torch.from_numpy(feats)[None], size=self.length, mode='linear', align_corners=False)
        new_grid = grid.resize(self.length)
        results['feats'], results['grid'] = resized[0].numpy(), new_grid
        if 'gt_segments' in results:
            seconds = grid.to_seconds(results['gt_segments'].astype(np.float64))
            results['gt_segments'] = new_grid.to_grid(seconds).astype(np.float32)
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(length={self.length})'
