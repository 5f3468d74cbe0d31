"""Feature grid: the only place where seconds and grid steps convert.

A feature extractor slides a window of ``window`` frames by ``stride`` frames over a video of
``fps`` frames per second. Step ``t`` of the feature sequence describes the window centred at
``(t * stride + 0.5 * window) / fps`` seconds; everything the models see and predict is measured
in such steps, everything a user reads and writes in seconds.
"""
from dataclasses import dataclass, replace
from typing import TypeVar

Number = TypeVar('Number')  # a float, a numpy array or a tensor


@dataclass(frozen=True)
class FeatureGrid:
    """Affine map between the steps of one feature sequence and the seconds of its video.

    Args:
        fps (float): Frames per second of the video.
        stride (float): Frames between two feature steps.
        window (float): Frames that one feature step sees.
        num_steps (int): Length of the feature sequence, in steps.
        start (float): Position of this sequence's step 0 in the whole video's sequence, in
            steps; nonzero for crops and sliding windows. Defaults to 0.

    Raises:
        ValueError: If ``fps`` or ``stride`` is not positive, or a number is negative.
    """

    fps: float
    stride: float
    window: float
    num_steps: int
    start: float = 0.0

    def __post_init__(self):
        for name in ('fps', 'stride'):
            if not getattr(self, name) > 0:
                raise ValueError(f'FeatureGrid: {name} must be positive, got {getattr(self, name)}')
        for name in ('window', 'num_steps', 'start'):
            if not getattr(self, name) >= 0:
                raise ValueError(f'FeatureGrid: {name} must not be negative, '
                                 f'got {getattr(self, name)}')

    def to_seconds(self, steps: Number) -> Number:
        """Convert positions from grid steps to seconds of the video."""
        return ((steps + self.start) * self.stride + 0.5 * self.window) / self.fps

    def to_grid(self, seconds: Number) -> Number:
        """Convert positions from seconds of the video to grid steps."""
        return (seconds * self.fps - 0.5 * self.window) / self.stride - self.start

    @property
    def extent(self) -> float:
        """float: Seconds of the video at which the last window of this sequence ends."""
        frames = (self.num_steps - 1 + self.start) * self.stride + self.window
        return frames / self.fps

    def crop(self, start: int, num_steps: int) -> 'FeatureGrid':
        """Grid of the ``num_steps`` steps that begin at step ``start``.

        Raises:
            ValueError: If the crop leaves the sequence.
        """
        if start < 0 or num_steps < 1 or start + num_steps > self.num_steps:
            raise ValueError(f'FeatureGrid: cannot crop steps {start} to {start + num_steps} '
                             f'out of {self.num_steps}')
        return replace(self, start=self.start + start, num_steps=num_steps)

    def resize(self, num_steps: int) -> 'FeatureGrid':
        """Grid after a resampling of the sequence to ``num_steps`` steps.

        The resampled steps share the covered frames evenly, each seeing as many frames as it
        moves on (the convention of the ActivityNet-1.3 feature sets).

        Raises:
            ValueError: If ``num_steps`` is not positive, or this grid is a crop: its parent's
                steps have no counterpart on the new grid.
        """
        if num_steps < 1:
            raise ValueError(f'FeatureGrid: num_steps must be positive, got {num_steps}')
        if self.start:
            raise ValueError('FeatureGrid: resize the whole sequence before cropping it')
        frames = (self.num_steps - 1) * self.stride + self.window
        stride = frames / num_steps
        return replace(self, stride=stride, window=stride, num_steps=num_steps)
