"""Chosen frames of a video file, by their numbers at a constant rate.

Numbers and frames belong together as in :func:`.read_frames`: frame k of a rate is what is shown in
the middle of the time from k / rate to (k + 1) / rate, by the time stamps.
"""
import math
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Optional, Union

import numpy as np

from .video_frames import (
    MAX_GAP,
    MIN_READ,
    Clock,
    announced_length,
    check_video,
    frame_period,
    import_av,
    undecodable,
    upright_picture,
    video_stream,
)

DECODED = 2.0  # seconds before the first frame wanted that are decoded rather than jumped over


def frames_within(seconds: float, fps: float) -> int:
    """How many frames :func:`.read_frames` makes of a video of that length, at least 1."""
    return max(1, math.ceil(seconds * fps - 0.5))


def video_length(path: Union[str, Path]) -> float:
    """Seconds of a video as its header announces them; its first frame is decoded, no more.

    Where the header says nothing of the film itself, all time stamps are read.

    Raises:
        ImportError: If PyAV is not installed.
        ValueError: If the file is no video, or has no frame; names the file.
    """
    av = import_av()
    try:
        with av.open(str(path)) as container:
            stream = video_stream(path, container)
            first = next(container.decode(stream), None)
            if first is None:
                raise ValueError(f'{path}: the video has no frame')
            seconds, own = announced_length(container, stream, first.time or 0.)
    except (av.FFmpegError, OSError) as error:
        raise undecodable(path, error) from error
    return seconds if own and seconds > 0 else check_video(path)


def frames_at(path: Union[str, Path], fps: float, numbers: Sequence[int],
              short_side: Optional[int] = None) -> Iterator[np.ndarray]:
    """Decode some frames of a video, one at a time, turned upright.

    What lies before the first one is jumped over, what lies after the last one is not read.

    Args:
        path (str | Path): The video.
        fps (float): Rate of the numbers, frames per second.
        numbers (Sequence[int]): Frames wanted, from 0, not falling; a number may come again.
        short_side (int, optional): Pixels of the shorter side after scaling. Defaults to None: as
            they are stored.

    Yields:
        np.ndarray: (H, W, 3) uint8 RGB, one per number.

    Raises:
        ImportError: If PyAV is not installed.
        ValueError: If the file is no video, ends before a frame that is wanted, or its frames are
            not of one size; names the file.
    """
    av = import_av()
    numbers = np.asarray(numbers)
    if len(numbers) == 0 or numbers[0] < 0 or (np.diff(numbers) < 0).any():
        raise ValueError(f'{path}: numbers of frames must not fall, from 0 on, got {numbers}')
    try:
        yield from _pictures(path, fps, numbers.tolist(), short_side)
    except (av.FFmpegError, OSError) as error:
        raise undecodable(path, error) from error


def _pictures(path: Union[str, Path], fps: float, numbers: list[int],
              short_side: Optional[int]) -> Iterator[np.ndarray]:
    shown = image = shape = None
    clock = Clock(path, 0., MAX_GAP)
    done = 0

    def picture() -> np.ndarray:
        made = upright_picture(path, shown, short_side) if image is None else image
        if shape not in (None, made.shape):
            raise ValueError(f'{path}: the size of its frames changes from {shape[1]} x {shape[0]} '
                             f'to {made.shape[1]} x {made.shape[0]} pixels')
        return made

    for begin, frame in _decoded(path, (numbers[0] + 0.5) / fps, clock):
        # as in read_frames: a frame is shown until the next one begins
        while shown is not None and numbers[done] < begin * fps - 0.5:
            image = picture()
            shape = image.shape
            yield image
            done += 1
            if done == len(numbers):
                return
        shown, image = frame, None
    if shown is None:
        raise ValueError(f'{path}: the video has no frame')
    end = clock.end - clock.start
    last = numbers[-1] / fps
    if last > end + 2 * max(clock.period, 1 / fps) + (1 - MIN_READ) * last:
        raise ValueError(f'{path}: ends after {end:.2f} s, but its frame at {last:.2f} s is '
                         'wanted: the file is cut off or damaged')
    for _ in numbers[done:]:
        image = picture()
        shape = image.shape
        yield image


def _decoded(path: Union[str, Path], time: float, clock: Clock) -> Iterator[tuple]:
    """Frames from the one shown at a time on, or some before: when each begins (s), and it."""
    av = import_av()
    for jumps in (True, False) if time > DECODED else (False, ):
        with av.open(str(path)) as container:
            stream = video_stream(path, container)
            clock.period = frame_period(stream)
            frames = _jump(av, container, stream, time, clock) if jumps else \
                container.decode(stream)
            if frames is None:  # no index, or none that can be trusted: all has to be decoded
                continue
            for frame in frames:
                duration = getattr(frame, 'duration', None)
                yield clock.add(frame.time, float(duration * frame.time_base) if duration
                                else None), frame
            return


def _jump(av, container, stream, time: float, clock: Clock) -> Optional[Iterator]:
    """Frames from a key frame at or before a time on; None if none can be found."""
    first = next(container.decode(stream), None)
    if first is None or first.time is None:
        return None
    for margin in (0., 2., 10.):  # an index may go by the order of decoding
        try:
            container.seek(int((first.time + max(time - margin, 0.)) / stream.time_base),
                           stream=stream)
            frames = container.decode(stream)
            found = next(frames, None)
        except (av.FFmpegError, OSError):
            return None
        if found is not None and found.time is not None and found.time - first.time <= time:
            clock.start, clock.time = first.time, found.time
            return chain([found], frames)
    return None
