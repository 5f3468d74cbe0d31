"""Durations and frame rates of videos, from a folder of them or from a file that lists them."""
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Optional, Union

from ...utils import Problem, TALDataError, matching_name, name_problem
from ...utils.problems import looked_from
from ..labels import VideoFacts, read_videos
from ..labels.names import VIDEO_SUFFIXES
from .video_frames import check_video, frame_rate

_TITLE = 'videos'
SKIP_HINT = '--skip-broken leaves out the videos that cannot be read (in Python skip_broken=True)'


def find_videos(source: Union[str, os.PathLike],
                group: Optional[str] = None,
                skip_broken: bool = False) -> dict[str, VideoFacts]:
    """Find out how long videos are, and their frame rates.

    Args:
        source (str): Folder of video files, whose sub-folders are part of the videos' names, or a
            file for :func:`.read_videos`.
        group (str, optional): Column with the group, of such a file. Defaults to None.
        skip_broken (bool): Whether a video of a folder that cannot be read gets no facts but
            ``broken``, why it cannot; :func:`.read_labels` leaves it out. Defaults to False: it is
            an error.

    Returns:
        dict[str, VideoFacts]: By name, sorted.

    Raises:
        ImportError: If there are videos, and PyAV is not installed.
        TALDataError: If there is no video that can be used, one cannot be read to its end or has
            no frame rate, or two have one name; with all of them.
    """
    if not Path(source).exists():
        raise TALDataError.of(_TITLE, source, 'file', 'there is no such file or folder'
                              + looked_from(source))
    if not Path(source).is_dir():
        return read_videos(source, group)
    found: dict[str, VideoFacts] = {}
    paths, problems = _list(Path(source))
    broken = []
    for name, path in paths.items():
        try:
            found[name] = VideoFacts(duration=check_video(path), fps=frame_rate(path))
        except ValueError as error:
            broken.append(broken_video(name, path, error))
            found[name] = VideoFacts(broken=broken[-1].message)
    hint = SKIP_HINT if 0 < len(broken) < len(paths) else ''
    if problems or (broken and not (skip_broken and hint)):
        raise TALDataError(problems + broken, _TITLE, '' if skip_broken else hint)
    return found


def broken_video(name: str, path: Union[str, os.PathLike], error: Exception) -> Problem:
    """The problem of a video file that cannot be read."""
    return Problem(str(path), name, 'video', str(error).removeprefix(f'{path}: '))


def list_videos(folder: Union[str, os.PathLike]) -> dict[str, Path]:
    """List the video files of a folder and its sub-folders; hidden ones are none.

    Args:
        folder (str): The folder.

    Returns:
        dict[str, Path]: By name, which is the path below the folder without the extension; sorted.

    Raises:
        TALDataError: If there is no folder, no video in it, two have one name, or a name cannot be
            one of a file; with all of them.
    """
    found, problems = _list(Path(folder))
    if problems:
        raise TALDataError(problems, _TITLE)
    return found


def match_videos(folder: Union[str, os.PathLike], names: Iterable[str]) -> dict[str, Path]:
    """Find the files of some videos, whatever the Unicode form of their accents.

    Args:
        folder (str): See :func:`list_videos`.
        names (Iterable[str]): The videos.

    Returns:
        dict[str, Path]: By name; without the videos of which there is no file.

    Raises:
        TALDataError: As :func:`list_videos`; also if the names of two files differ in their
            Unicode form only, or if there is a file of none of the videos.
    """
    files, names = list_videos(folder), list(names)
    found = {}
    for name in names:
        try:
            own = matching_name(name, files)
        except ValueError as error:
            raise TALDataError.of(_TITLE, folder, 'video name', str(error), name) from error
        if own is not None:
            found[name] = files[own]
    if names and not found:
        raise TALDataError.of(
            _TITLE, folder, 'folder', f'none of its {len(files)} video files has the name of a '
            f'video: they are such as {next(iter(files))!r}, wanted are such as {names[0]!r}')
    return found


def _list(folder: Path) -> tuple[dict[str, Path], list[Problem]]:
    """What :func:`list_videos` gives, and what is wrong with other names."""
    if folder.is_file():
        raise TALDataError.of(_TITLE, folder, 'folder', 'is a file; a folder of videos is wanted')
    if not folder.is_dir():
        raise TALDataError.of(_TITLE, folder, 'folder', 'there is no such folder'
                              + looked_from(folder))
    found: dict[str, Path] = {}
    problems = []
    for path in sorted(folder.rglob('*')):
        if path.suffix.lower() not in VIDEO_SUFFIXES or path.name.startswith('.') \
                or not path.is_file():
            continue
        name = path.relative_to(folder).with_suffix('').as_posix()
        why = name_problem(name)
        if name in found:
            why = 'another file has this name, but for its extension'
        if why is None:
            found[name] = path
        else:
            problems.append(Problem(str(path), name, 'video name', why))
    if not found and not problems:
        raise TALDataError.of(_TITLE, folder, 'folder',
                              f'has no video file ({" ".join(VIDEO_SUFFIXES)})')
    return found, problems
