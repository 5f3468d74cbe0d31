"""Durations and frame rates of videos, from a folder of them or from a file that lists them."""
import os
from pathlib import Path
from typing import Optional, Union

from ..datasets.labels import VideoFacts, read_videos
from ..datasets.labels.names import VIDEO_SUFFIXES
from ..utils import Problem, TALDataError
from .video_frames import check_video, frame_rate

_TITLE = 'videos'


def find_videos(source: Union[str, os.PathLike],
                group: Optional[str] = None) -> dict[str, VideoFacts]:
    """Find out how long videos are, and their frame rates.

    Args:
        source (str): Folder of video files, whose sub-folders are part of the videos' names, or a
            file for :func:`.read_videos`.
        group (str, optional): Column with the group, of such a file. Defaults to None.

    Returns:
        dict[str, VideoFacts]: By name, sorted.

    Raises:
        ImportError: If there are videos, and PyAV is not installed.
        TALDataError: If there is no video, one cannot be read to its end or has no frame rate, or
            two have one name; with all of them.
    """
    folder = Path(source)
    if not folder.is_dir():
        return read_videos(source, group)
    paths = sorted(path for path in folder.rglob('*')
                   if path.suffix.lower() in VIDEO_SUFFIXES and path.is_file())
    if not paths:
        raise TALDataError.of(_TITLE, folder, 'folder',
                              f'has no video file ({" ".join(VIDEO_SUFFIXES)})')
    found: dict[str, VideoFacts] = {}
    problems = []
    for path in paths:
        name = path.relative_to(folder).with_suffix('').as_posix()
        if name in found:
            problems.append(Problem(str(path), name, 'video name', 'another file has this name, '
                                    'but for its extension'))
            continue
        found[name] = VideoFacts()
        try:
            found[name] = VideoFacts(duration=check_video(path), fps=frame_rate(path))
        except ValueError as error:
            problems.append(
                Problem(str(path), name, 'video', str(error).removeprefix(f'{path}: ')))
    if problems:
        raise TALDataError(problems, _TITLE)
    return found
