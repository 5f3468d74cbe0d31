"""Checks the feature files of a data set before training starts."""
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from os.path import exists
from typing import Optional

from ..utils import Problem
from ..utils.problems import looked_from
from .feature_files import FeatureFileError, feature_shape, open_feature
from .feature_streams import aligned_steps
from .feature_values import as_float32, find_nonfinite
from .windows import sample_grid

NUM_THREADS = 8  # files read at the same time


@dataclass
class FeatureSpec:
    """What the features of a data set must look like.

    Args:
        layout (str): ``'time_major'`` or ``'channel_major'``, on disk. Defaults to
            ``'time_major'``.
        feature_dim (int, optional): Channels of all folders together. Defaults to None: what most
            videos have.
        length_tolerance (float): Part of a video's duration by which its features may cover
            more or less than it, beside a stride and a window (or two strides). Defaults to 0.1.
        max_length_gap (int): Steps by which the folders of one video may differ in length.
            Defaults to 2.
        exempt_videos (Sequence[str]): Videos whose duration is not compared. Defaults to ().
    """

    layout: str = 'time_major'
    feature_dim: Optional[int] = None
    length_tolerance: float = 0.1
    max_length_gap: int = 2
    exempt_videos: Sequence[str] = ()


@dataclass
class _Result:
    """Steps and channels of each folder's features, and the first thing wrong with them."""

    lengths: list[int]
    channels: list[int]
    problem: Optional[Problem] = None

    @property
    def complete(self) -> bool:
        """Whether every folder's file could be opened."""
        return bool(self.lengths)


def _read(info: dict, layout: str, full: bool) -> _Result:
    """Sizes and values of one video's features."""
    lengths, channels, problem = [], [], None
    for path, key in zip(info['feature_paths'], info['feature_key']):
        try:
            array = open_feature(path, key, layout) if full else None
            steps, dim = feature_shape(path, key, layout) if array is None else array.shape
            where = find_nonfinite(as_float32(array)) if full else None
        except FeatureFileError as error:
            return _Result([], [], Problem(path, info['video_name'], 'feature', str(error)))
        if where is not None and problem is None:
            problem = Problem(path, info['video_name'], 'feature values', f'NaN or inf at step '
                              f'{where[0]}, channel {where[1]} (and perhaps elsewhere)')
        lengths.append(steps)
        channels.append(dim)
    return _Result(aligned_steps(lengths, info.get('stream_grids')), channels, problem)


def _check_channels(result: _Result, expected: int, spec: FeatureSpec) -> Optional[str]:
    """Say what is wrong with the number of channels, if anything is."""
    found = sum(result.channels)
    if found == expected:
        return None
    parts = '' if len(result.channels) == 1 else f' ({" + ".join(map(str, result.channels))})'
    hint = ''
    if sum(result.lengths) == expected:
        hint = f'; the other axis has {expected}: is the layout not {spec.layout}?'
    source = 'feature_dim is' if spec.feature_dim is not None else 'most videos have'
    return f'{found} channels{parts}, {source} {expected}{hint}'


def length_problem(info: dict, lengths: Sequence[int], spec: FeatureSpec) -> Optional[str]:
    """Say what is wrong with the number of steps, if anything is.

    Args:
        info (dict): ``video_name``, ``duration`` (s), ``fps``, ``stride`` and ``window`` (frames).
        lengths (Sequence[int]): Steps in each folder.
        spec (FeatureSpec): What is allowed.
    """
    num_steps = min(lengths)
    if max(lengths) - num_steps > spec.max_length_gap:
        return f'the folders disagree: {lengths} steps, more than {spec.max_length_gap} apart'
    if num_steps == 0:
        return 'zero-length feature: the file has no steps'
    stride, window, duration = info['stride'], info['window'], info['duration']
    if stride is None or info['video_name'] in spec.exempt_videos:
        return None
    covered = sample_grid(info, num_steps).extent
    # Extractors that only take whole windows stop up to a stride early, or two where they leave
    # out the last; those that pad the video at its ends see up to a window more than there is.
    allowed = spec.length_tolerance * duration + (stride + max(stride, window)) / info['fps']
    if abs(covered - duration) <= allowed:
        return None
    return (f'{num_steps} steps of stride {stride:g} and window {window:g} at {info["fps"]:g} fps '
            f'cover {covered:.2f} s, but the duration is {duration:.2f} s (allowed difference '
            f'{allowed:.2f} s)')


def absent_folders(folders: Sequence[str]) -> list[Problem]:
    """Folders (or HDF5 files) of features that are not there: a problem each, not each video."""
    return [Problem(folder, None, 'data_prefix', 'there is no such folder or file'
                    + looked_from(folder)) for folder in folders if not exists(folder or '.')]


def check_features(infos: Sequence[dict],
                   spec: FeatureSpec,
                   full: bool) -> tuple[list[Optional[int]], list[Problem]]:
    """Check the feature files of many videos.

    Channels are looked at first: with the wrong layout, lengths and values mean nothing.

    Args:
        infos (Sequence[dict]): Samples of a dataset: ``video_name``, ``feature_paths`` and
            ``feature_key`` (a list each), ``duration``, ``fps``, ``stride`` and ``window``.
        spec (FeatureSpec): What is expected of them.
        full (bool): Whether to read every value in search of NaN and inf; otherwise the
            headers have to do.

    Returns:
        tuple: Per video its number of steps, None where something is wrong; and the problems.
    """
    with ThreadPoolExecutor(NUM_THREADS) as pool:
        results = list(pool.map(lambda info: _read(info, spec.layout, full), infos))
    expected = spec.feature_dim
    dims = [sum(r.channels) for r in results if r.complete]
    if expected is None and dims:
        expected = max(set(dims), key=lambda dim: (dims.count(dim), -dims.index(dim)))
    for info, result in zip(infos, results):
        if not result.complete:
            continue
        for field, message in (('channels', _check_channels(result, expected, spec)),
                               ('feature length', length_problem(info, result.lengths, spec))):
            if message is not None:
                path = ', '.join(info['feature_paths'])
                result.problem = Problem(path, info['video_name'], field, message)
                break
    steps = [min(r.lengths) if r.problem is None else None for r in results]
    return steps, [r.problem for r in results if r.problem is not None]
