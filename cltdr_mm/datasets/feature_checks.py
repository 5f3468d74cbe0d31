"""Checks the feature files of a data set before training starts."""
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Optional

from .feature_files import FeatureFileError, as_float32, feature_shape, find_nonfinite, open_feature
from .problems import Problem
from .windows import sample_grid


@dataclass
class FeatureSpec:
    """What the features of a data set must look like.

    Args:
        layout (str): ``'time_major'`` or ``'channel_major'``, on disk.
        feature_dim (int, optional): Channels of all folders together. None takes what most
            videos have.
        length_tolerance (float): Part of a video's duration by which its features may cover
            more or less than it.
        max_length_gap (int): Steps by which the folders of one video may differ in length.
        exempt_videos (Sequence[str]): Videos whose duration is not compared.
    """

    layout: str
    feature_dim: Optional[int]
    length_tolerance: float
    max_length_gap: int
    exempt_videos: Sequence[str] = ()


@dataclass
class _Result:
    """Length and channels of one video's features, or what is wrong with them."""

    num_steps: Optional[int] = None
    channels: tuple[int, ...] = ()
    problem: Optional[Problem] = None


def _check_video(info: dict, spec: FeatureSpec, full: bool) -> _Result:
    """Everything that one video tells by itself."""
    name, path = info['video_name'], ''

    def bad(field: str, message: str) -> _Result:
        return _Result(problem=Problem(path, name, field, message))

    lengths, channels = [], []
    for path, key in zip(info['feature_paths'], info['feature_key']):  # bad() reads path
        try:
            args = path, key, spec.layout
            array = open_feature(*args) if full else None
            steps, dim = feature_shape(*args) if array is None else array.shape
            if steps == 0:
                return bad('feature length', 'zero-length feature: the file has no steps')
            if array is not None:
                where = find_nonfinite(as_float32(array))
                if where is not None:
                    return bad('feature values', f'NaN or inf at step {where[0]}, '
                               f'channel {where[1]} (and perhaps elsewhere)')
        except FeatureFileError as error:
            return bad('feature', str(error))
        lengths.append(steps)
        channels.append(dim)
    if max(lengths) - min(lengths) > spec.max_length_gap:
        return bad('feature length', f'the folders disagree: {lengths} steps, more than '
                   f'{spec.max_length_gap} apart')
    num_steps = min(lengths)
    if info['stride'] is not None and name not in spec.exempt_videos:
        covered = sample_grid(info, num_steps).extent
        # Windows at either end may be missing or padded: two steps more or less say nothing.
        allowed = (spec.length_tolerance * info['duration'] +
                   2 * (info['stride'] + info['window']) / info['fps'])
        if abs(covered - info['duration']) > allowed:
            return bad(
                'feature length', f'{num_steps} steps of stride {info["stride"]:g} and window '
                f'{info["window"]:g} at {info["fps"]:g} fps cover {covered:.2f} s, but the '
                f'duration is {info["duration"]:.2f} s (allowed difference {allowed:.2f} s)')
    return _Result(num_steps=num_steps, channels=tuple(channels))


def check_features(infos: Sequence[dict],
                   spec: FeatureSpec,
                   full: bool,
                   num_threads: int = 8) -> tuple[list[Optional[int]], list[Problem]]:
    """Check the feature files of many videos.

    Args:
        infos (Sequence[dict]): Samples of a dataset: ``video_name``, ``feature_paths`` and
            ``feature_key`` (a list each), ``duration``, ``fps``, ``stride`` and ``window``.
        spec (FeatureSpec): What is expected of them.
        full (bool): Whether to read every value in search of NaN and inf; otherwise the
            headers have to do.
        num_threads (int): Files read at the same time. Defaults to 8.

    Returns:
        tuple: Per video its number of steps, None where something is wrong; and the problems.
    """
    with ThreadPoolExecutor(num_threads) as pool:
        results = list(pool.map(lambda info: _check_video(info, spec, full), infos))
    expected = spec.feature_dim
    dims = [sum(r.channels) for r in results if r.problem is None]
    if expected is None and dims:
        expected = max(set(dims), key=lambda dim: (dims.count(dim), -dims.index(dim)))
    for info, result in zip(infos, results):
        found = sum(result.channels)
        if result.problem is not None or found == expected:
            continue
        parts = '' if len(result.channels) == 1 else f' ({" + ".join(map(str, result.channels))})'
        hint = ''
        if result.num_steps == expected:
            hint = f'; the other axis has {expected}: is the layout not {spec.layout}?'
        source = 'feature_dim is' if spec.feature_dim is not None else 'most videos have'
        result.problem = Problem(', '.join(info['feature_paths']), info['video_name'], 'channels',
                                 f'{found} channels{parts}, {source} {expected}{hint}')
    steps = [r.num_steps if r.problem is None else None for r in results]
    return steps, [r.problem for r in results if r.problem is not None]
