"""Pipeline steps from a video file to frames, and the one that MMAction2 lacks to change them."""
from collections.abc import Sequence
from dataclasses import replace
from typing import Optional

import cv2
import numpy as np
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

from ...utils import TALDataError
from ..videos.sampled_frames import frames_at, frames_within, video_length
from .crop import RandomCropFeature


@TRANSFORMS.register_module()
class SampleTALFrames(BaseTransform):
    """Say which frames of a video, or of one window of it, are read; none is read yet.

    Where a video's last step lacks some of its frames it is left out; a video of fewer frames than
    a step has repeats its last one.

    Required keys: ``video_name``, ``video_path``, ``fps``, ``sampling`` (FrameSampling).
    Optional keys: ``num_frames`` of the video at that rate (without it the header is asked),
    ``window_start`` and ``window_size`` in steps, ``gt_segments`` in seconds.

    Added keys: ``frame_inds`` (F,) int64, numbers of frames at the rate ``fps``, not falling;
    ``grid`` (FeatureGrid) of T = F / ``frames_per_step`` steps; ``gt_segments`` becomes float32
    (N, 2) in grid steps, clipped to the video where ``num_steps`` share it, as published; what
    lies after the video altogether is left out then, of ``gt_labels`` too.

    Raises:
        ImportError: If the header has to be asked, and PyAV is not installed.
        TALDataError: If it cannot be read then.
    """

    def transform(self, results: dict) -> dict:
        """Sample one video or window.

        Args:
            results (dict): See the class.

        Returns:
            dict: The same dict with the added keys.
        """
        sampling, fps = results['sampling'], results['fps']
        total = results.get('num_frames')
        if total is None:
            try:
                total = frames_within(video_length(results['video_path']), fps)
            except ValueError as error:
                raise _error(results, error) from error
        first = results.get('window_start', 0)
        size = results.get('window_size', sampling.total_steps(total))
        per_step = sampling.frames_per_step
        frames = sampling.frames(total)[first * per_step:(first + size) * per_step]
        results['frame_inds'] = frames = sampling.whole_steps(frames)
        grid = replace(sampling.grid(total, fps), start=first, num_steps=len(frames) // per_step)
        results['grid'] = grid
        if 'gt_segments' in results:
            segments = np.asarray(results['gt_segments'], dtype=np.float64).reshape(-1, 2)
            segments = grid.to_grid(segments)
            if sampling.stride is None:
                segments = segments.clip(0, grid.num_steps)
                shown = segments[:, 1] > segments[:, 0]  # an annotation may go on after its video
                segments = segments[shown]
                if 'gt_labels' in results:
                    results['gt_labels'] = results['gt_labels'][shown]
            results['gt_segments'] = segments.astype(np.float32)
        return results


@TRANSFORMS.register_module()
class RandomCropFrames(RandomCropFeature):
    """Draw which of the sampled frames are read: a stretch that shows at least one instance.

    As :class:`.RandomCropFeature`, but a stretch may begin at any sampled frame, between two steps
    too. What a stretch shows goes from its first frame to where the one after its last begins.

    Required and modified keys: ``frame_inds`` (F,) of :class:`SampleTALFrames`, ``grid``,
    ``gt_segments`` (N, 2) grid steps, ``gt_labels`` (N,). Required: ``sampling``.

    Args:
        max_len (int): Steps to keep at most. Defaults to 768.
        trunc_thresh (float): Part of its length that a kept instance must show. Defaults to 0.75.
        crop_ratio (Sequence[float], optional): Smallest and largest part kept of the frames of a
            video no longer than ``max_len``; None leaves it whole. Defaults to (0.9, 1.0).

    Raises:
        ValueError: If an argument is out of range.
    """

    def __init__(self, max_len: int = 768, trunc_thresh: float = 0.75,
                 crop_ratio: Optional[Sequence[float]] = (0.9, 1.0)):
        super().__init__(max_len, trunc_thresh, crop_ratio)

    def transform(self, results: dict) -> dict:
        """Crop one sample.

        Args:
            results (dict): See the class.

        Returns:
            dict: The same dict with the modified keys.
        """
        frames, grid, sampling = results['frame_inds'], results['grid'], results['sampling']
        per_step = sampling.frames_per_step
        # Steps of one frame each: frame i of the sampled ones is shown from i - 1/2 to i + 1/2.
        to_begin = 0.5 * grid.window / grid.stride
        segments = (results['gt_segments'].astype(np.float64) + to_begin) * per_step - 0.5
        start, length, segments, kept = self.draw(
            segments, len(frames), self.max_len * per_step, 1, 1)
        frames = sampling.whole_steps(frames[start:start + length])
        results['frame_inds'] = frames
        results['grid'] = replace(grid, start=grid.start + start / per_step,
                                  num_steps=len(frames) // per_step)
        results['gt_segments'] = ((segments + 0.5) / per_step - to_begin).astype(np.float32)
        results['gt_labels'] = results['gt_labels'][kept]
        return results


@TRANSFORMS.register_module()
class LoadTALFrames(BaseTransform):
    """Decode the frames that a sample names, by their time stamps and upright.

    Required keys: ``video_name``, ``video_path``, ``fps``, ``frame_inds`` (F,) of
    :class:`SampleTALFrames`.

    Added keys: ``imgs``, a list of F frames (H, W, 3) uint8 RGB, ``img_shape``, ``original_shape``
    (H, W), ``modality`` 'RGB', ``num_clips`` 1 and ``clip_len`` F, as MMAction2's transforms of
    frames take them.

    Args:
        short_side (int, optional): Pixels to which the shorter side is scaled while decoding, so
            that no more are held in memory. Defaults to None: as they are stored.

    Raises:
        ImportError: If PyAV is not installed.
        TALDataError: If the video cannot be read as far as its frames are wanted.
        ValueError: If ``short_side`` is not positive.
    """

    def __init__(self, short_side: Optional[int] = None):
        if short_side is not None and short_side < 1:
            raise ValueError(f'short_side must be positive, got {short_side}')
        self.short_side = short_side

    def transform(self, results: dict) -> dict:
        """Decode one sample.

        Args:
            results (dict): See the class.

        Returns:
            dict: The same dict with the added keys.
        """
        try:
            images = list(frames_at(results['video_path'], results['fps'], results['frame_inds'],
                                    self.short_side))
        except ValueError as error:
            raise _error(results, error) from error
        shape = images[0].shape[:2]
        results.update(imgs=images, img_shape=shape, original_shape=shape, modality='RGB',
                       num_clips=1, clip_len=len(images))
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(short_side={self.short_side})'


@TRANSFORMS.register_module()
class ColorJitterFrames(BaseTransform):
    """MMAction2's ``ColorJitter``, one draw for all frames, with any version of NumPy.

    MMAction2 1.2.0 adds a shift of the hue to uint8 values, which NumPy 2 refuses where the shift
    is negative. Nothing else differs: the order of the four changes is drawn when the transform is
    built, their strengths are drawn for every sample.

    Required and modified keys: ``imgs``.

    Args:
        **kwargs: ``brightness``, ``contrast``, ``saturation`` (0.5 each) and ``hue`` (0.1), see
            MMAction2.
    """

    def __init__(self, **kwargs):
        from mmaction.datasets.transforms.processing import ColorJitter  # seconds, where unused
        self.jitter = ColorJitter(**kwargs)
        self.jitter.adjust_hue = _adjust_hue

    def transform(self, results: dict) -> dict:
        """Change the colours of one sample.

        Args:
            results (dict): See the class.

        Returns:
            dict: The same dict with the modified key.
        """
        return self.jitter.transform(results)

    def __repr__(self) -> str:
        return f'{type(self).__name__}({self.jitter!r})'


def _adjust_hue(image: np.ndarray, factor: float) -> np.ndarray:
    """Turn the hue (in OpenCV from 0 to 179) of an image (H, W, 3) by ``255 * factor``."""
    hsv = cv2.cvtColor(np.clip(image, 0, 255).astype(np.uint8), cv2.COLOR_RGB2HSV)
    hsv[..., 0] = (hsv[..., 0].astype(np.int64) + int(factor * 255)) % 180
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB).astype(np.float32)


def _error(results: dict, error: ValueError) -> TALDataError:
    path = str(results['video_path'])
    return TALDataError.of('loading', path, 'video', str(error).removeprefix(f'{path}: '),
                           results['video_name'])
