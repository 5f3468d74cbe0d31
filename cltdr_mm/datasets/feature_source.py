"""How the features of a data set were taken, and how their files are named and laid out."""
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Optional, Union

from .annotation_checks import VideoAnnotation
from .feature_names import FeatureNames


@dataclass(frozen=True)
class FeatureSource:
    """What :class:`.TALDataset` is told about its features, whatever the video.

    Args:
        stride (float, optional): Frames between two steps; None where sequences were resampled
            to a fixed length. Defaults to None.
        window (float, optional): Frames that one step sees. Defaults to None: as many as the
            stride, which may be an entry's own.
        fps (float, optional): Frame rate of all videos. Defaults to None: the entry's own.
        default_fps (float, optional): Frame rate of entries that have none. Defaults to None.
        layout (str): ``'time_major'`` or ``'channel_major'``, on disk. Defaults to
            ``'time_major'``.
        prefix, suffix, pattern, key: ``file_prefix``, ``file_suffix``, ``file_pattern`` and
            ``feature_key`` of :class:`.FeatureNames`.

    Raises:
        ValueError: If the layout is unknown or a number is not positive.
    """

    stride: Optional[float] = None
    window: Optional[float] = None
    fps: Optional[float] = None
    default_fps: Optional[float] = None
    layout: str = 'time_major'
    prefix: Union[str, Sequence[str]] = ''
    suffix: Union[str, Sequence[Optional[str]], None] = None
    pattern: Union[str, Sequence[str]] = '{prefix}{video}{suffix}'
    key: Union[str, Sequence[Optional[str]], None] = None

    def __post_init__(self):
        if self.layout not in ('time_major', 'channel_major'):
            raise ValueError("layout must be 'time_major' or 'channel_major', got "
                             f'{self.layout!r}')
        for name, value in dict(feature_stride=self.stride, feature_window=self.window,
                                fps=self.fps, default_fps=self.default_fps).items():
            if value is not None and not value > 0:
                raise ValueError(f'{name} must be positive, got {value}')

    def names(self, folders: Sequence[str]) -> FeatureNames:
        """The names of the files in some folders."""
        return FeatureNames(folders, self.prefix, self.suffix, self.pattern, self.key)

    def timing(self, video: VideoAnnotation) -> tuple[Optional[float], Optional[float]]:
        """Stride and window of a video, in frames: its entry's own go first."""
        stride = self.stride if video.stride is None else video.stride
        window = self.window if video.window is None else video.window
        return stride, stride if window is None else window
