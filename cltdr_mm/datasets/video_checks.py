"""Checks the video files of a data set before training starts."""
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Optional, Union

from ..utils import Problem
from .feature_checks import NUM_THREADS, FeatureSpec
from .videos.sampled_frames import video_length
from .videos.video_frames import check_video, import_av


def duration_problem(info: dict, seconds: float, spec: FeatureSpec) -> Optional[str]:
    """Say how a video's length differs from its duration, if it does.

    Args:
        info (dict): ``video_name``, ``duration`` (s), ``fps`` and ``stride`` (frames).
        seconds (float): Length of the video.
        spec (FeatureSpec): What is allowed, two steps aside.
    """
    duration = info['duration']
    allowed = spec.length_tolerance * duration + 2 * (info['stride'] or 1) / info['fps']
    if info['video_name'] in spec.exempt_videos or abs(seconds - duration) <= allowed:
        return None
    return (f'is {seconds:.2f} s long, but the annotation says {duration:.2f} s (allowed '
            f'difference {allowed:.2f} s, by length_tolerance {spec.length_tolerance:g})')


def check_video_files(infos: Sequence[dict], spec: FeatureSpec,
                      full: bool) -> tuple[list[Optional[float]], list[Problem]]:
    """Check the video files of a data set.

    Args:
        infos (Sequence[dict]): Samples: ``video_name``, ``video_path``, ``duration`` (s), ``fps``
            and ``stride`` (frames).
        spec (FeatureSpec): ``length_tolerance`` and ``exempt_videos``.
        full (bool): Whether to read the time stamps of all frames; otherwise the header and the
            first frame have to do.

    Returns:
        tuple: Per video its length (s), None where something is wrong; and the problems.

    Raises:
        ImportError: If PyAV is not installed.
    """
    import_av()

    def read(info: dict) -> Union[float, Problem]:
        path, name = info['video_path'], info['video_name']
        try:
            seconds = (check_video if full else video_length)(path)
        except ValueError as error:
            return Problem(path, name, 'video', str(error).removeprefix(f'{path}: '))
        why = duration_problem(info, seconds, spec)
        return seconds if why is None else Problem(path, name, 'duration', why)

    with ThreadPoolExecutor(NUM_THREADS) as pool:
        found = list(pool.map(read, infos))
    return ([None if isinstance(one, Problem) else one for one in found],
            [one for one in found if isinstance(one, Problem)])
