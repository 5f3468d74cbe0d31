"""Which video file in a folder is that of a video."""
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Union

from ..utils import Problem, TALDataError, matching_name
from .labels.names import VIDEO_SUFFIXES

TITLE = 'videos'


def list_video_files(folder: Union[str, os.PathLike]) -> tuple[dict[str, Path], list[Problem]]:
    """List the video files in a folder, by the names of their videos.

    Args:
        folder (str): Its sub-folders are part of the names.

    Returns:
        tuple[dict[str, Path], list[Problem]]: Files by name, sorted by path, and those that have
        the name of one before them.

    Raises:
        TALDataError: If there is no such folder, or no video file in it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise TALDataError.of(TITLE, folder, 'folder', 'there is no such folder')
    paths = sorted(path for path in folder.rglob('*')
                   if path.suffix.lower() in VIDEO_SUFFIXES and path.is_file())
    if not paths:
        raise TALDataError.of(TITLE, folder, 'folder',
                              f'has no video file ({" ".join(VIDEO_SUFFIXES)})')
    files: dict[str, Path] = {}
    problems = []
    for path in paths:
        name = path.relative_to(folder).with_suffix('').as_posix()
        if name in files:
            problems.append(Problem(str(path), name, 'video name', 'another file has this name, '
                                    'but for its extension'))
        files.setdefault(name, path)
    return files, problems


def match_video_files(folder: Union[str, os.PathLike], names: Iterable[str]) -> dict[str, Path]:
    """Find the files of some videos, whatever the Unicode form of their accents.

    Args:
        folder (str): See :func:`list_video_files`.
        names (Iterable[str]): The videos.

    Returns:
        dict[str, Path]: By name; without the videos of which there is no file.

    Raises:
        TALDataError: As :func:`list_video_files`; also if the names of two files differ in their
            extension or Unicode form only, or if there is a file of none of the videos.
    """
    files, problems = list_video_files(folder)
    if problems:
        raise TALDataError(problems, TITLE)
    names = list(names)
    found = {}
    for name in names:
        try:
            own = matching_name(name, files)
        except ValueError as error:
            raise TALDataError.of(TITLE, folder, 'video name', str(error), name) from error
        if own is not None:
            found[name] = files[own]
    if names and not found:
        raise TALDataError.of(
            TITLE, folder, 'folder', f'none of its {len(files)} video files has the name of a video '
            f'(there is {next(iter(files))!r}, wanted is such as {names[0]!r})')
    return found
