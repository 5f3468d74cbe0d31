"""Packs a sample into what a localizer takes."""
from collections.abc import Sequence

import numpy as np
import torch
from mmaction.registry import TRANSFORMS
from mmaction.structures import ActionDataSample
from mmcv.transforms import BaseTransform
from mmengine.structures import InstanceData

from ...structures import TimeMajor
from .sample import sample_rows


@TRANSFORMS.register_module()
class PackTALInputs(BaseTransform):
    """Pack features or frames, ground truth and metainfo.

    Required keys: ``grid``, and ``rows`` (T, C) or ``imgs``, F frames (H, W, 3) uint8 that make
    the T steps of the grid; T then goes into the metainfo as ``num_steps``. Optional:
    ``gt_segments`` (N, 2) in grid steps with ``gt_labels`` (N,), ``proposals`` (P, 3) of
    :class:`.LoadTALProposals`, ``class_agnostic`` and the keys in ``meta_keys``.

    Args:
        meta_keys (Sequence[str]): Keys that become metainfo where present, beside
            ``class_agnostic``. Defaults to
            ``('video_name', 'duration', 'fps', 'grid', 'window_index', 'num_windows',
            'annotations')``; the last are MMAction2's, for its ``ANetMetric``.
    """

    def __init__(self,
                 meta_keys: Sequence[str] = ('video_name', 'duration', 'fps', 'grid',
                                             'window_index', 'num_windows', 'annotations')):
        self.meta_keys = tuple(meta_keys)

    def transform(self, results: dict) -> dict:
        """Pack one sample.

        Args:
            results (dict): See the class.

        Returns:
            dict: ``inputs``, a :class:`.TimeMajor` of (T, C), or a uint8 tensor (3, F, H, W) of
            frames, which are taken out of the sample; and ``data_samples``
            (ActionDataSample), whose ``gt_instances`` hold ``segments`` (N, 2) float32 in grid
            steps and ``labels`` (N,) int64, and whose ``proposals`` hold ``proposals`` (P, 3)
            float32, as MMAction2's TCANet reads them.

        Raises:
            TypeError: If the sample has ``feats``, of version 0.1.0.
        """
        keys = [*self.meta_keys, 'class_agnostic']
        if 'imgs' in results:
            inputs = _stack(results.pop('imgs'))
            keys.append('num_steps')
            results['num_steps'] = results['grid'].num_steps
        else:
            # A view with gaps or backwards, as a user's transform may leave it, is copied.
            inputs = TimeMajor(torch.from_numpy(np.ascontiguousarray(sample_rows(results, self))))
        sample = ActionDataSample(
            metainfo={key: results[key] for key in keys if key in results})
        if 'gt_segments' in results:
            sample.gt_instances = InstanceData(
                segments=torch.as_tensor(results['gt_segments'], dtype=torch.float32),
                labels=torch.as_tensor(results['gt_labels'], dtype=torch.int64))
        if 'proposals' in results:
            sample.proposals = InstanceData(
                proposals=torch.as_tensor(results['proposals'], dtype=torch.float32))
        return dict(inputs=inputs, data_samples=sample)

    def __repr__(self) -> str:
        return f'{type(self).__name__}(meta_keys={self.meta_keys})'


def _stack(images: list) -> torch.Tensor:
    """(3, F, H, W) uint8 of F frames (H, W, 3), each of which is let go as soon as it is copied."""
    height, width = images[0].shape[:2]
    frames = torch.empty(3, len(images), height, width, dtype=torch.uint8)
    for i, image in enumerate(images):
        frames[:, i] = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)
        images[i] = None
    return frames
