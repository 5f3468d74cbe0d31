"""Features of a folder of videos, with a manifest: what is done is not done again.

A video's file is there completely or not at all, and stands in the manifest when it is. Several
processes and machines may write to one folder.
"""
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from multiprocessing import active_children, get_context
from pathlib import Path
from typing import Any, Optional, Union

import numpy as np
import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from torch import distributed as dist

from ...datasets.feature_files import FeatureFileError, feature_shape
from ...datasets.feature_manifest import (
    DTYPES,
    FeatureManifest,
    VideoFeatures,
    add_video,
    check_same,
    find_manifest,
)
from ...datasets.feature_values import find_nonfinite
from ...datasets.videos.video_facts import list_videos
from ...utils import Problem, atomic_path
from .video_features import VideoFeatureExtractor

Path_ = Union[str, os.PathLike]
_Result = Union[VideoFeatures, Problem]


@dataclass
class Extraction:
    """What became of a folder of videos.

    Args:
        folder (Path): Where the features are.
        manifest (FeatureManifest): How they were made; without videos.
        there (int): Videos whose features were there already.
        done (int): Videos done now. Defaults to 0.
        seconds (float): Their duration. Defaults to 0.
        problems (list[Problem]): One for each video without features. Defaults to none.
    """

    folder: Path
    manifest: FeatureManifest
    there: int
    done: int = 0
    seconds: float = 0.
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True)
class _Job:
    """Makes the features of single videos; all that a process of its own needs."""

    folder: Path
    videos: Path
    manifest: FeatureManifest
    extractor: VideoFeatureExtractor

    def run(self, name: str, path: Path, watch: Callable[[float], None] = lambda part: None
            ) -> _Result:
        """Extract and write; what is wrong with a video is returned."""
        try:
            duration = self.extractor.check(path)
            rows, grid, _ = self.extractor(path, lambda seconds: watch(seconds / duration))
        except (ValueError, OSError) as error:
            return Problem(str(path), name, 'video', str(error).removeprefix(f'{path}: '))
        where = find_nonfinite(rows)
        if where is not None:
            return Problem(str(path), name, 'features', f'NaN or inf at step {where[0]}, channel '
                           f'{where[1]}: the recognizer makes no numbers of this video')
        with np.errstate(over='ignore'):
            rows = rows.astype(self.manifest.dtype)
        if not np.isfinite(rows).all():
            return Problem(str(path), name, 'features', 'float16 cannot hold them: they reach '
                           'beyond 65504; store float32')
        with atomic_path(self.folder / f'{name}.npy') as temporary:
            np.save(temporary, rows)
        video = VideoFeatures(file=path.relative_to(self.videos).as_posix(), duration=duration,
                              fps=grid.fps, steps=len(rows))
        add_video(self.folder, self.manifest, name, video)
        return video


def extract_features(videos: Path_, out: Path_, recognizer: Mapping[str, Any],
                     dtype: str = 'float32', jobs: int = 1, shard: tuple[int, int] = (1, 1),
                     show_progress: bool = False) -> Extraction:
    """Extract the features of all videos of a folder and its sub-folders.

    Args:
        videos (str): The folder.
        out (str): Folder of the data set; features go into its ``features/``, ``<video>.npy``
            (T, C) each, with a manifest.
        recognizer (Mapping): Arguments of :class:`.VideoFeatureExtractor`.
        dtype (str): ``'float32'`` or ``'float16'``. Defaults to ``'float32'``.
        jobs (int): Processes, each with a recognizer of its own. Defaults to 1.
        shard (tuple[int, int]): (i, n): of every n videos the i-th, from 1. Defaults to (1, 1):
            all. Ranks of torchrun wait for each other at the end.
        show_progress (bool): Whether to show a bar with the rate and the time left, on the
            standard error. Defaults to False.

    Returns:
        Extraction: With a problem for each video that could not be used; the features of all
        others are there.

    Raises:
        ImportError: If PyAV is not installed.
        ChildProcessError: If one of several processes was killed.
        OSError: If a file cannot be written.
        ValueError: If an argument makes no sense, or the recognizer has no weights.
        TALDataError: If there is no video, two have one name, the weights do not fit, or the
            features in the folder were made otherwise.
    """
    number, count = shard
    if dtype not in DTYPES:
        raise ValueError(f'dtype must be one of {list(DTYPES)}, got {dtype!r}')
    if jobs < 1 or not 1 <= number <= count:
        raise ValueError(f'jobs must be at least 1, and a shard lie within their number; got '
                         f'{jobs} and {number}/{count}')
    paths, folder = list_videos(videos), Path(out, 'features')
    extractor = VideoFeatureExtractor(**recognizer)
    manifest = extractor.manifest(dtype)
    found = find_manifest(folder)
    check_same(folder, manifest, found)
    mine = dict(list(paths.items())[number - 1::count])
    todo = {name: path for name, path in mine.items()
            if not _is_done(folder, name, path.relative_to(videos).as_posix(), found)}
    result = Extraction(folder, manifest, there=len(mine) - len(todo))
    job = _Job(folder, Path(videos), manifest, extractor)
    with _Bar(todo, show_progress) as bar:
        made = (_in_turn(job, todo, bar.within) if jobs == 1
                else _in_parallel(job, todo, recognizer, jobs))
        for name, video in made:
            if isinstance(video, Problem):
                result.problems.append(video)
            else:
                result.done, result.seconds = result.done + 1, result.seconds + video.duration
            bar.finish(name, result.seconds)
    result.problems.sort(key=lambda problem: problem.video)
    return result


def rank_shard(environ: Mapping[str, str] = os.environ) -> tuple[int, int]:
    """The shard of this process: its rank under torchrun, else all."""
    return int(environ.get('RANK', 0)) + 1, int(environ.get('WORLD_SIZE', 1))


@contextmanager
def all_ranks() -> Iterator[None]:
    """Wait at the end for the other ranks of torchrun, which stops all of them when one fails."""
    together = int(os.environ.get('WORLD_SIZE', 1)) > 1 and 'MASTER_ADDR' in os.environ
    if together and not dist.is_initialized():
        dist.init_process_group('gloo', timeout=timedelta(days=30))
    yield
    if together:
        dist.barrier()


def _is_done(folder: Path, name: str, file: str, manifest: Optional[FeatureManifest]) -> bool:
    """Whether a video stands in the manifest, and its features are there."""
    video = None if manifest is None else manifest.videos.get(name)
    if video is None or video.file != file:
        return False
    try:
        return feature_shape(str(folder / f'{name}.npy')) == (video.steps, manifest.channels)
    except FeatureFileError:
        return False


def _in_turn(job: _Job, todo: Mapping[str, Path],
             watch: Callable[[str, float], None]) -> Iterator[tuple[str, _Result]]:
    for name, path in todo.items():
        yield name, job.run(name, path, partial(watch, name))


_job: Optional[_Job] = None  # of a process of its own


def _start(folder: Path, videos: Path, manifest: FeatureManifest, recognizer: Mapping,
           threads: int) -> None:
    """Begin a process: one recognizer for all its videos, and its part of the cores."""
    global _job
    import cltdr_mm  # noqa: F401  (registers what a config may name)

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends it through the first process
    torch.set_num_threads(threads)
    _job = _Job(folder, videos, manifest, VideoFeatureExtractor(**recognizer))


def _run(name: str, path: Path) -> _Result:
    return _job.run(name, path)


def _in_parallel(job: _Job, todo: Mapping[str, Path], recognizer: Mapping,
                 jobs: int) -> Iterator[tuple[str, _Result]]:
    threads = max(1, torch.get_num_threads() // jobs)
    pool = ProcessPoolExecutor(
        min(jobs, len(todo)) or 1, get_context('spawn'), _start,
        (job.folder, job.videos, job.manifest, recognizer, threads))
    try:
        names = {pool.submit(_run, name, path): name for name, path in todo.items()}
        for future in as_completed(names):
            yield names[future], future.result()
    except BrokenProcessPool as error:
        raise ChildProcessError('a process that extracts features was killed, perhaps for memory; '
                                'what is done is kept: start again, with fewer jobs') from error
    except BaseException:  # Ctrl-C too: the videos at work are left
        for child in active_children():
            child.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


class _Bar:
    """A progress bar that goes by the sizes of the files, for durations are not known yet."""

    def __init__(self, todo: Mapping[str, Path], show: bool):
        self.sizes = {name: path.stat().st_size for name, path in todo.items()}
        self.begin, self.bytes, self.number = time.monotonic(), 0, 0
        self.progress = Progress(
            TextColumn('features'), BarColumn(), TextColumn('{task.fields[videos]}'),
            TextColumn('{task.fields[rate]}'), TimeRemainingColumn(),
            console=Console(stderr=True), disable=not show)
        self.task = self.progress.add_task('', total=sum(self.sizes.values()) or 1, rate='',
                                           videos=f'0/{len(todo)} videos')

    def __enter__(self) -> '_Bar':
        self.progress.start()
        return self

    def __exit__(self, *_) -> None:
        self.progress.stop()

    def within(self, name: str, part: float) -> None:
        """A part of a video is done, from 0 to 1."""
        self.progress.update(self.task, completed=self.bytes + min(part, 1) * self.sizes[name])

    def finish(self, name: str, seconds: float) -> None:
        """A video is done, or cannot be used; so many seconds of video are done in all."""
        self.bytes, self.number = self.bytes + self.sizes[name], self.number + 1
        rate = seconds / (time.monotonic() - self.begin)
        self.progress.update(self.task, completed=self.bytes, rate=f'{rate:.1f} s of video a '
                             f'second', videos=f'{self.number}/{len(self.sizes)} videos')
