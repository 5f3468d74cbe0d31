"""How the features of a data set were taken, and how their files are named and laid out."""
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Optional, Union

from ..utils import Problem, TALDataError
from .annotation_checks import VideoAnnotation
from .feature_manifest import MANIFEST, find_manifest
from .feature_names import FeatureNames
from .feature_streams import Grid, Numbers, stream_grids


@dataclass(frozen=True)
class FeatureSource:
    """What :class:`.TALDataset` is told about its features, whatever the video.

    Args:
        stride (float or Sequence[float], optional): Frames between two steps; None where sequences
            were resampled to a fixed length. Of a list, one a folder, the first becomes the
            attribute. Defaults to None.
        window (float or Sequence[float], optional): Frames that one step sees; 0 puts step t at
            frame t * stride. Of a list as the stride. Defaults to None: as many as the stride,
            which may be an entry's own.
        fps (float, optional): Frame rate of all videos. Defaults to None: the entry's own.
        default_fps (float, optional): Frame rate of entries that have none. Defaults to None.
        layout (str): ``'time_major'`` or ``'channel_major'``, on disk. Defaults to
            ``'time_major'``.
        rates (Mapping[str, float]): Frame rate by video, before all others. Defaults to none.
        settings (dict, optional): ``settings()`` of the features' manifest. Defaults to None:
            there is none.
        streams (tuple, optional): Stride and window of each folder, made of such lists.
            Defaults to None: all are the same.
        prefix, suffix, pattern, key: ``file_prefix``, ``file_suffix``, ``file_pattern`` and
            ``feature_key`` of :class:`.FeatureNames`.

    Raises:
        ValueError: If the layout is unknown, the window negative or another number not positive.
    """

    stride: Numbers = None
    window: Numbers = None
    fps: Optional[float] = None
    default_fps: Optional[float] = None
    layout: str = 'time_major'
    prefix: Union[str, Sequence[str]] = ''
    suffix: Union[str, Sequence[Optional[str]], None] = None
    pattern: Union[str, Sequence[str]] = '{prefix}{video}{suffix}'
    key: Union[str, Sequence[Optional[str]], None] = None
    rates: Mapping[str, float] = field(default_factory=dict)
    settings: Optional[dict[str, Any]] = None
    streams: Optional[tuple[Grid, ...]] = None

    def __post_init__(self):
        streams = stream_grids(self.stride, self.window)
        if streams is not None:
            for name, value in zip(('streams', 'stride', 'window'), (streams, *streams[0])):
                object.__setattr__(self, name, value)
        if self.layout not in ('time_major', 'channel_major'):
            raise ValueError("layout must be 'time_major' or 'channel_major', got "
                             f'{self.layout!r}')
        for name, value in dict(feature_stride=self.stride, fps=self.fps,
                                default_fps=self.default_fps).items():
            if value is not None and not value > 0:
                raise ValueError(f'{name} must be positive, got {value}')
        if self.window is not None and not self.window >= 0:
            raise ValueError(f'feature_window must not be negative, got {self.window}')

    def names(self, folders: Sequence[str]) -> FeatureNames:
        """The names of the files in some folders."""
        return FeatureNames(folders, self.prefix, self.suffix, self.pattern, self.key)

    def with_manifests(self, folders: Sequence[str]) -> 'FeatureSource':
        """Take stride, window and frame rates from the manifests beside the features.

        Args:
            folders (Sequence[str]): Of features, with or without a manifest.

        Returns:
            FeatureSource: What is given already stays.

        Raises:
            TALDataError: If a manifest cannot be read, or says otherwise than what is given or
                than another folder's.
            ValueError: If there are not as many streams as folders.
        """
        source, rates, first = self, {}, None
        if self.streams is not None and len(self.streams) != len(folders):
            raise ValueError('feature_stride and feature_window must be one for all feature '
                             f'folders, or a list of one each: got {len(self.streams)} for '
                             f'{len(folders)} folder(s)')
        for index, folder in enumerate(folders):
            manifest = find_manifest(folder)
            if manifest is None:
                continue
            path = os.path.join(folder, MANIFEST)
            settings = manifest.settings()
            if self.streams is not None:
                settings = self._on_first_grid(settings, index, path)
            source = source.with_settings(settings, path)
            for name, video in manifest.videos.items() if manifest.fps is None else ():
                other = rates.setdefault(name, self.fps or video.fps)
                if other != video.fps:
                    raise TALDataError.of(
                        'feature manifest', path, 'fps', f'is {video.fps:g}, but '
                        f'{first or "the config"} says {other:g}', name)
            first = first or path
        return replace(source, rates=rates)

    def _on_first_grid(self, settings: dict, index: int, path: str) -> dict:
        """Settings of a stream as they will be used; refuses another grid than the config's."""
        grid = dict(zip(('stride', 'window'), self.streams[index]))
        problems = [Problem(path, None, name, f'is {settings[name]:g}, but feature_{name} of the '
                            f'config is {value:g} for folder {index + 1}')
                    for name, value in grid.items() if settings.get(name) not in (None, value)]
        if problems:
            raise TALDataError(problems, 'feature manifest')
        return dict(settings, stride=self.stride, window=self.window)

    def with_settings(self, settings: Mapping[str, Any], where: str) -> 'FeatureSource':
        """Take stride, window and frame rate from what a manifest says.

        Args:
            settings (Mapping): ``settings()`` of a :class:`.FeatureManifest`.
            where (str): File they are from.

        Raises:
            TALDataError: If what is given already is something else; names both.
        """
        known, problems = {}, []
        for name in ('stride', 'window', 'fps'):
            given, said = getattr(self, name), settings.get(name)
            if said is not None and given not in (None, said):
                other = 'another manifest' if self.settings else 'the config'
                what = name if self.settings or name == 'fps' else f'feature_{name}'
                problems.append(Problem(where, None, name, f'is {said:g}, but {what} of {other} '
                                        f'is {given:g}'))
            known[name] = said if given is None else given
        if problems:
            raise TALDataError(problems, 'feature manifest')
        return replace(self, **known, settings=self.settings or dict(settings))

    def timing(self, video: VideoAnnotation,
               ann_file: str) -> tuple[Optional[float], Optional[float]]:
        """Stride and window of a video, in frames: its entry's own go first.

        Args:
            video (VideoAnnotation): The entry.
            ann_file (str): File it is from.

        Raises:
            TALDataError: If the entry says otherwise than the features' manifest.
        """
        for name in ('stride', 'window'):
            own, said = getattr(video, name), (self.settings or {}).get(name)
            if own is not None and self.streams is not None:
                raise TALDataError.of(
                    'annotations', ann_file, f'feature_{name}', f'is {own:g}, but the config says '
                    'one for each feature folder', video.video_name)
            if own is not None and said not in (None, own):
                raise TALDataError.of(
                    'annotations', ann_file, f'feature_{name}', f'is {own:g}, but the manifest of '
                    f'the features says {said:g}', video.video_name)
        stride = self.stride if video.stride is None else video.stride
        window = self.window if video.window is None else video.window
        return stride, stride if window is None else window
