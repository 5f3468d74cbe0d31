"""Which frames of a video a model sees, and which steps they make."""
import math
from dataclasses import dataclass
from typing import Optional

import numpy as np

from ..structures import FeatureGrid


@dataclass(frozen=True)
class FrameSampling:
    """Frames of a constant rate, as AdaTAD (CVPR 2024) samples them.

    ``frames_per_step`` frames, evenly spaced, make a step. Step j begins at frame ``j * stride`` of
    the rate.

    Args:
        stride (int, optional): Frames from one step to the next, a multiple of
            ``frames_per_step``. Defaults to None: ``num_steps`` steps share every video evenly.
        frames_per_step (int): Frames that are read for a step. Defaults to 1.
        num_steps (int, optional): Steps of every video; only, and always, without ``stride``.
            Defaults to None.
        window (float): Where steps are said to be, see :class:`.FeatureGrid`: ``window / 2``
            frames after their first frame. Defaults to 0: at it, as published.

    Raises:
        ValueError: If a value makes no sense, or two do not go together.
    """

    stride: Optional[int] = None
    frames_per_step: int = 1
    num_steps: Optional[int] = None
    window: float = 0.

    def __post_init__(self):
        for name in ('stride', 'frames_per_step', 'num_steps'):
            value = getattr(self, name)
            if value is not None and (value != int(value) or value < 1):
                raise ValueError(f'{name} of frames must be a whole number from 1, got {value}')
        if (self.stride is None) == (self.num_steps is None):
            raise ValueError('frames are read every feature_stride / frames_per_step of the video, '
                             'or num_steps share it evenly: give one of feature_stride and '
                             'num_steps')
        if self.stride is not None and self.stride % self.frames_per_step:
            raise ValueError(f'feature_stride {self.stride} must be a multiple of frames_per_step '
                             f'{self.frames_per_step}')
        if not self.window >= 0:
            raise ValueError(f'feature_window must not be negative, got {self.window}')

    def total_steps(self, num_frames: int) -> int:
        """Steps of a whole video, of which the last may lack some of its frames."""
        return self.num_steps or math.ceil(num_frames / self.stride)

    def frames(self, num_frames: int) -> np.ndarray:
        """Frames that a whole video is sampled at.

        Args:
            num_frames (int): Frames of the video at the constant rate.

        Returns:
            np.ndarray: (R,) int64, not falling, from 0 to ``num_frames - 1``.
        """
        if self.stride is not None:
            return np.arange(0, num_frames, self.stride // self.frames_per_step)
        total = self.num_steps * self.frames_per_step
        centres = (np.arange(total) + 0.5) * num_frames / total - 0.5
        return np.clip(centres, 0, num_frames - 1).round().astype(np.int64)

    def whole_steps(self, frames: np.ndarray) -> np.ndarray:
        """Cut sampled frames (R,) to whole steps; of fewer than a step the last is repeated."""
        size = self.frames_per_step
        if len(frames) < size:
            return np.pad(frames, (0, size - len(frames)), mode='edge')
        return frames[:len(frames) // size * size]

    def grid(self, num_frames: int, fps: float) -> FeatureGrid:
        """Grid of a whole video.

        Args:
            num_frames (int): Frames of the video at the constant rate.
            fps (float): That rate.

        Returns:
            FeatureGrid: Of :meth:`total_steps` steps.
        """
        steps = self.total_steps(num_frames)
        stride = num_frames / steps if self.stride is None else self.stride
        return FeatureGrid(fps=fps, stride=stride, window=self.window, num_steps=steps)
