"""The manifest of a folder of features: how they were made, and of which videos.

``manifest.json`` lies beside the feature files, which are called ``<video>.npy``. Data set, config
and inference read from it what they would have to be told::

    manifest = read_manifest('data/mine/features')   # a folder, or the file itself
    manifest.stride, manifest.window, manifest.fps   # frames, frames, frames per second or None
    manifest.videos['cam1/take_2'].duration          # seconds; also .file, .fps, .steps
    manifest.rate('cam1/take_2')                     # frames per second of this video's steps
    find_manifest('data/mine/features')              # the same; None where there is none
    manifest.write('data/mine/features')             # atomic
    add_video('data/mine/features', manifest, 'clip', VideoFeatures(...))  # under a lock
    manifest.differences(other)                      # ['stride: 4 and 8', ...], videos apart
"""
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields, replace
from functools import partial
from pathlib import Path
from typing import Any, Optional, Union

from filelock import FileLock

from ..utils import Problem, TALDataError, name_problem, read_json, write_json
from ..utils.feature_settings import differing
from ..utils.json_files import nearest, number_problem, refuse_duplicates, shown

MANIFEST = 'manifest.json'
_LOCK = '.manifest.lock'
_TITLE = 'feature manifest'
DTYPES = ('float32', 'float16')
#: No part of the settings.
_FREE = ('dtype', 'versions', 'videos')

Path_ = Union[str, os.PathLike]


@dataclass(frozen=True)
class VideoFeatures:
    """What a manifest knows of one video.

    Args:
        file (str): The video's file, below the folder of the videos.
        duration (float): Seconds.
        fps (float): Frames per second of the grid: the rate at which frames were read.
        steps (int): Length of the feature sequence.
    """

    file: str
    duration: float
    fps: float
    steps: int


@dataclass(frozen=True)
class FeatureManifest:
    """How the features of a folder were made.

    Features that were made elsewhere may have one too, in which what is not known is null.

    Args:
        stride (int): Frames from one step to the next.
        window (int): Frames that one step sees.
        channels (int): C of the files' (T, C).
        fps (float, optional): Rate at which the frames of all videos were read. Defaults to None:
            every video's own, see ``videos``.
        dtype (str): ``'float32'`` or ``'float16'``, of the files. Defaults to ``'float32'``.
        recognizer (str, optional): Name of a preset, path of a config, or import path of a module.
            Defaults to None.
        module_args (dict): Arguments of a module. Defaults to none.
        weights (dict, optional): ``file``, the name, and ``sha256``. Defaults to None: the module
            has none.
        clip_len (int, optional): Frames of a clip. Defaults to None.
        frame_interval (int, optional): Frames from one of them to the next. Defaults to None.
        short_side (int, optional): Pixels of the shorter side. Defaults to None.
        crop_size (int, optional): Side of the square cut from the centre. Defaults to None.
        layer (str, optional): Module whose output was taken. Defaults to None: the backbone.
        versions (dict): Version by package. Defaults to none.
        videos (dict[str, VideoFeatures]): By name: the path below the folder of the videos,
            without the extension. Defaults to none.
    """

    stride: int
    window: int
    channels: int
    fps: Optional[float] = None
    dtype: str = 'float32'
    recognizer: Optional[str] = None
    module_args: dict[str, Any] = field(default_factory=dict)
    weights: Optional[dict[str, str]] = None
    clip_len: Optional[int] = None
    frame_interval: Optional[int] = None
    short_side: Optional[int] = None
    crop_size: Optional[int] = None
    layer: Optional[str] = None
    versions: dict[str, Optional[str]] = field(default_factory=dict)
    videos: dict[str, VideoFeatures] = field(default_factory=dict)

    def rate(self, video: str) -> Optional[float]:
        """Frames per second of a video's steps; None if it is not known."""
        known = self.videos.get(video)
        return self.fps if known is None else known.fps

    def settings(self) -> dict:
        """All of it but the videos, the versions and the type of the files, as JSON has it."""
        return {key: value for key, value in asdict(self).items() if key not in _FREE}

    def differences(self, other: 'FeatureManifest') -> list[str]:
        """Say in which settings two manifests differ.

        Args:
            other (FeatureManifest): The other one.

        Returns:
            list[str]: Such as ``'stride: 4 and 8'``; empty if features of both can be mixed.
        """
        return differing(self.settings(), other.settings())

    def write(self, folder: Path_) -> None:
        """Write ``manifest.json`` into the folder of the features.

        Args:
            folder (str): Made if it is missing.

        Raises:
            OSError: If it cannot be written.
        """
        write_json(asdict(replace(self, videos=dict(sorted(self.videos.items())))),
                   Path(folder, MANIFEST), indent=1)


def find_manifest(folder: Path_) -> Optional[FeatureManifest]:
    """Read the manifest of a folder of features, if there is one; see :func:`read_manifest`."""
    return read_manifest(folder) if Path(folder or '.', MANIFEST).is_file() else None


def read_manifest(path: Path_) -> FeatureManifest:
    """Read a manifest.

    Args:
        path (str): The folder of the features, or the file itself.

    Returns:
        FeatureManifest: All its values checked.

    Raises:
        TALDataError: If it cannot be read, a field is missing, unknown or has a value that makes
            no sense; names all of them, of the videos those of the first.
    """
    if os.path.isdir(path):
        path = Path(path, MANIFEST)
    content = read_json(path, _TITLE, refuse_duplicates)
    problems = []

    def bad(where: str, why: Optional[str], video: Optional[str] = None) -> None:
        if why is not None:
            problems.append(Problem(str(path), video, where, why))

    _check_keys(content, FeatureManifest, bad)
    for key, check in _CHECKS.items():
        if key in content and not (content[key] is None and key not in _REQUIRED):
            bad(key, check(content[key]))
    videos = content.get('videos')
    for name, known in videos.items() if isinstance(videos, dict) else ():
        before, of_video = len(problems), partial(bad, video=name)
        of_video('video name', name_problem(name))
        if isinstance(known, dict):
            _check_keys(known, VideoFeatures, of_video)
            for key in known.keys() & _VIDEO_CHECKS:
                of_video(key, _VIDEO_CHECKS[key](known[key]))
        else:
            of_video('videos', f'must be an object, got {shown(known)}')
        if len(problems) > before:
            break  # a program wrote them all
    if problems:
        raise TALDataError(problems, _TITLE)
    given = {key: value for key, value in content.items() if value is not None}
    given['videos'] = {name: VideoFeatures(**known) for name, known in videos.items()}
    return FeatureManifest(**given)


def add_video(folder: Path_, manifest: FeatureManifest, name: str, video: VideoFeatures) -> None:
    """Add one video to the manifest of a folder, which several processes may write to.

    Args:
        folder (str): The folder of the features.
        manifest (FeatureManifest): How this video's were made; its own ``videos`` do not matter.
        name (str): The video's name.
        video (VideoFeatures): What is known of it.

    Raises:
        TALDataError: If the folder's manifest has other settings, or cannot be read.
        OSError: If it cannot be written.
    """
    Path(folder).mkdir(parents=True, exist_ok=True)
    lock = FileLock(Path(folder, _LOCK))
    try:
        lock.acquire()
    except NotImplementedError:
        raise OSError(f'{folder}: this file system knows no locks, which keep two processes from '
                      'writing to one manifest; choose a folder on another') from None
    with lock:
        there = find_manifest(folder)
        check_same(folder, manifest, there)
        videos = {} if there is None else there.videos
        replace(manifest, videos={**videos, name: video}).write(folder)


def check_same(folder: Path_, wanted: FeatureManifest, there: Optional[FeatureManifest]) -> None:
    """Refuse to mix features of two kinds in one folder.

    Args:
        folder (str): The folder of the features.
        wanted (FeatureManifest): How features are to be made.
        there (FeatureManifest, optional): How those in the folder were made.

    Raises:
        TALDataError: If they differ, in the type of the files too; names what differs.
    """
    if there is None:
        return
    found = there.differences(wanted)
    if there.dtype != wanted.dtype:
        found.append(f'dtype: {there.dtype} and {wanted.dtype}')
    if found:
        raise TALDataError.of(
            _TITLE, Path(folder, MANIFEST), 'settings', 'the features in this folder were made '
            f'otherwise than asked for ({"; ".join(found)}); choose another folder or the same '
            'settings')


def _check_keys(content: dict, kind: type, bad: Callable) -> None:
    names = tuple(item.name for item in fields(kind))
    required = _REQUIRED if kind is FeatureManifest else names
    for key in required:
        if key not in content:
            bad(key, 'is missing')
    for key in content:
        if key not in names:
            bad(key, f'is no field of a manifest ({nearest(key, names)})')


def _positive(value: Any) -> Optional[str]:
    why = number_problem(value)
    return why or (None if value > 0 else f'must be positive, got {shown(value)}')


def _whole(value: Any) -> Optional[str]:
    return _positive(value) or (
        None if isinstance(value, int) else f'must be a whole number, got {shown(value)}')


def _text(value: Any) -> Optional[str]:
    return None if isinstance(value, str) and value else f'must be a text, got {shown(value)}'


def _object(value: Any) -> Optional[str]:
    return None if isinstance(value, dict) else f'must be an object, got {shown(value)}'


def _arguments(value: Any) -> Optional[str]:
    try:
        return _object(value) or (json.dumps(value, allow_nan=False) and None)
    except (ValueError, RecursionError) as error:
        return f'must be plain values ({type(error).__name__})'


def _versions(value: Any) -> Optional[str]:
    good = isinstance(value, dict) and all(
        isinstance(text, (str, type(None))) for text in value.values())
    return None if good else f'must be an object of texts, got {shown(value)}'


def _dtype(value: Any) -> Optional[str]:
    return None if value in DTYPES else f'must be one of {list(DTYPES)}, got {shown(value)}'


def _weights(value: Any) -> Optional[str]:
    good = isinstance(value, dict) and {'file', 'sha256'} == set(value) and all(
        isinstance(text, str) for text in value.values())
    return None if good else f'must be an object of file and sha256, got {shown(value)}'


_CHECKS = dict(stride=_positive, window=_positive, channels=_whole, fps=_positive, dtype=_dtype,
               recognizer=_text, module_args=_arguments, weights=_weights, clip_len=_whole,
               frame_interval=_whole, short_side=_whole, crop_size=_whole, layer=_text,
               versions=_versions, videos=_object)
_VIDEO_CHECKS = dict(file=_text, duration=_positive, fps=_positive, steps=_whole)
_REQUIRED = ('stride', 'window', 'channels', 'videos')
