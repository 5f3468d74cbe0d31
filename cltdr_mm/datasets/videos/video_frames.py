"""Frames of a video file at a constant rate, by PyAV: all of them, upright, or an error.

Frames are placed by their time stamps, so that a variable frame rate, or a container that counts
from elsewhere than zero, changes nothing. What cannot be the whole video is refused: a file that
ends before the time that it announces, frames without a time of their own, a gap.
"""
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Optional, Union

import numpy as np

MAX_GAP = 60.0  # seconds from one frame to the next
MIN_READ = 0.99  # part of the video that must be there


def import_av():
    """PyAV, which is needed for video files only; raises ImportError."""
    try:
        import av
    except ImportError as error:
        raise ImportError('reading video files needs PyAV: pip install av, or pip install '
                          '"cltdr-mm[video]"') from error
    return av


class Clock:
    """Follows the time stamps of frames in the order in which they are shown, in seconds.

    Args:
        path (str | Path): The video, for errors.
        period (float): Length of a frame that does not say it.
        max_gap (float): Longest time from one frame to the next.
    """

    def __init__(self, path: Union[str, Path], period: float, max_gap: float):
        self.path, self.period, self.max_gap = path, period, max_gap
        self.start: Optional[float] = None
        self.time = self.end = 0.0  # of the last frame: when it begins, and ends
        self.count = self.late = 0  # frames, and those of them that begin no later than others

    def add(self, time: Optional[float], duration: Optional[float]) -> float:
        """When a frame begins, from the first one on; raises ValueError after a gap."""
        if time is None:
            time = self.end
        if self.start is None:
            self.start = self.time = time
        elif time <= self.time:
            self.late += 1
            time = self.time
        self._check_gap(time)
        self.count += 1
        self.time, self.end = time, time + (duration or self.period)
        return time - self.start

    def finish(self) -> float:
        """Seconds from the first frame's beginning to the last one's end."""
        self._check_gap(self.end)
        return self.end - self.start

    @property
    def allowance(self) -> float:
        """Seconds that may be missing: of two frames, for the last may not say how long it is."""
        return 2 * max(self.period, (self.end - self.start) / self.count)

    def _check_gap(self, time: float) -> None:
        if time - self.time > self.max_gap:
            raise ValueError(
                f'{self.path}: after the frame at {self.time:.3f} s the next time stamp is '
                f'{time:.3f} s, a gap of {time - self.time:.3f} s; {self.max_gap:g} s are allowed '
                '(max_gap)')


def check_video(path: Union[str, Path], max_gap: float = MAX_GAP,
                min_read: float = MIN_READ) -> float:
    """Read the time stamps of a video, without decoding it, and check that all of it is there.

    Args:
        path (str | Path): The video.
        max_gap (float): Seconds that may lie between a frame and the next. Defaults to 60.
        min_read (float): Part of the length which the file announces that must be there. Defaults
            to 0.99.

    Returns:
        float: Seconds from the first frame's beginning to the last one's end.

    Raises:
        ImportError: If PyAV is not installed.
        ValueError: If the file is no video, or not all of it is there; names the file, and says
            what part there is.
    """
    av = import_av()
    try:
        with av.open(str(path)) as container:
            stream = video_stream(path, container)
            packets, furthest = [], 0.0
            for packet in container.demux():
                moment = packet.pts if packet.pts is not None else packet.dts
                if moment is None or not packet.time_base:
                    continue  # the end of a stream
                begin, length = (float(n * packet.time_base)
                                 for n in (moment, packet.duration or 0))
                furthest = max(furthest, begin + length)
                cut_away = getattr(packet, 'is_discard', False)  # by the file itself
                if packet.stream.index == stream.index and not cut_away:
                    packets.append((begin, length))
            clock = Clock(path, frame_period(stream), max_gap)
            for begin, length in sorted(packets):  # they lie in the order of decoding
                clock.add(begin, length)
            if clock.start is None:
                raise ValueError(f'{path}: the video has no frame')
            covered = clock.finish()
            announced, own = announced_length(container, stream, clock.start)
            _check_part(path, covered if own else furthest, announced, min_read, clock.allowance)
            return covered
    except (av.FFmpegError, OSError) as error:
        raise undecodable(path, error) from error


def frame_rate(path: Union[str, Path]) -> float:
    """Frames per second of a video, on average.

    Raises:
        ImportError: If PyAV is not installed.
        ValueError: If the file is no video, or does not say it; names the file.
    """
    av = import_av()
    try:
        with av.open(str(path)) as container:
            rate = video_stream(path, container).average_rate
    except (av.FFmpegError, OSError) as error:
        raise undecodable(path, error) from error
    if not rate:
        raise ValueError(f'{path}: the frame rate is unknown')
    return float(rate)


def frame_size(path: Union[str, Path]) -> tuple[int, int]:
    """Width and height of a video's frames as they are stored, before they are turned.

    Raises:
        ImportError: If PyAV is not installed.
        ValueError: If the file is no video; names the file.
    """
    av = import_av()
    try:
        with av.open(str(path)) as container:
            stream = video_stream(path, container)
            return stream.width, stream.height
    except (av.FFmpegError, OSError) as error:
        raise undecodable(path, error) from error


def read_frames(path: Union[str, Path], fps: Optional[float], short_side: int,
                crop_size: Optional[int], max_gap: float = MAX_GAP,
                min_read: float = MIN_READ) -> Iterator[tuple]:
    """Decode a video at a constant rate, turned upright, scaled and cropped.

    Args:
        path (str | Path): The video.
        fps (float, optional): Frames per second wanted; None for the video's average rate.
        short_side (int): Pixels of the shorter side after scaling.
        crop_size (int, optional): Side of the square cut from the centre; None for the whole frame.
        max_gap (float): See :func:`check_video`. Defaults to 60.
        min_read (float): See :func:`check_video`. Defaults to 0.99.

    Yields:
        tuple[np.ndarray, float]: Frame (H, W, 3) uint8 RGB, H and W the ``crop_size`` if there is
        one, and the rate.

    Raises:
        ImportError: If PyAV is not installed.
        ValueError: As :func:`check_video`; after the last frame also if fewer could be decoded, or
            have a time of their own, than are there.
    """
    av = import_av()
    length = check_video(path, max_gap, min_read)
    shown, emitted = None, 0
    try:
        with av.open(str(path)) as container:
            stream = video_stream(path, container)
            stream.thread_type = 'AUTO'
            rate = float(fps or stream.average_rate or 0)
            if not rate > 0:
                raise ValueError(f'{path}: the frame rate is unknown; give fps')
            clock = Clock(path, frame_period(stream), max_gap)
            # A frame is shown until the next one begins. Frame k of those that come out stands for
            # the time from k / rate to (k + 1) / rate, and is what is shown in the middle of it.
            for packet in container.demux(stream):
                for frame in packet.decode():
                    duration = getattr(frame, 'duration', None)
                    begin = clock.add(
                        frame.time, float(duration * frame.time_base) if duration else None)
                    while shown is not None and emitted < begin * rate - 0.5:
                        yield shown, rate
                        emitted += 1
                    shown = upright_picture(path, frame, short_side, crop_size)
            if shown is None:
                raise ValueError(f'{path}: the video has no frame')
            covered = clock.finish()
            _check_part(path, covered, length, min_read, clock.allowance)
            if clock.late > (1 - min_read) * clock.count:
                raise ValueError(
                    f'{path}: {clock.count - clock.late} of {clock.count} frames could be read: '
                    'the time stamps of the others are not after those of the frames before them')
            while emitted < covered * rate - 0.5 or emitted == 0:
                yield shown, rate
                emitted += 1
    except (av.FFmpegError, OSError) as error:
        raise undecodable(path, error) from error


def undecodable(path: Union[str, Path], error: Exception) -> ValueError:
    """Make the error of a video that PyAV refuses."""
    # without the number of the error, which says nothing
    return ValueError(f'{path}: the video cannot be decoded: '
                      f'{getattr(error, "strerror", None) or error}')


def video_stream(path: Union[str, Path], container):
    """The first stream that is a film, not the picture of a cover."""
    for stream in container.streams.video:
        disposition = getattr(stream, 'disposition', 0)
        if not disposition & getattr(type(disposition), 'attached_pic', 0):
            return stream
    raise ValueError(f'{path}: this file has no video stream')


def frame_period(stream) -> float:
    """Seconds of a frame that does not say how long it is shown."""
    return float(1 / stream.average_rate) if stream.average_rate else 0.04


def announced_length(container, stream, start: float) -> tuple[float, bool]:
    """Seconds that the file says it has, 0 if it does not, and whether of its video alone."""
    tag = next((value for key, value in stream.metadata.items()
                if key.upper().startswith('DURATION')), '')
    clock = re.fullmatch(r'(\d+):(\d+):(\d+(?:\.\d*)?)', tag)
    own = True
    if stream.duration:
        ticks = stream.duration
        if container.format.name == 'avi':  # one frame a tick, empty ones included
            ticks = max(ticks, stream.frames)
        found = float(ticks * stream.time_base)
    elif clock:
        hours, minutes, seconds = map(float, clock.groups())
        found = 3600 * hours + 60 * minutes + seconds
    else:
        found, own = (container.duration or 0) / 1e6, False
    # Matroska says when the last frame ends; its first one need not begin at zero
    matroska = 'matroska' in container.format.name
    return (found - start if matroska and own else found), own


def _check_part(path: Union[str, Path], there: float, announced: float, min_read: float,
                allowance: float) -> None:
    """Raise ValueError if fewer seconds are there than announced, but for an allowance."""
    if there < min_read * announced - allowance:
        raise ValueError(
            f'{path}: {there:.2f} of {announced:.2f} s could be read '
            f'({100 * there / announced:.0f} %): the file is cut off or damaged (min_read '
            f'{min_read:g})')


def upright_picture(path: Union[str, Path], frame, short_side: Optional[int],
                    crop_size: Optional[int] = None) -> np.ndarray:
    """(H, W, 3) uint8: a frame, or the centre of it, as it is meant to be seen."""
    width, height = frame.width, frame.height
    if short_side is not None:
        scale = short_side / min(width, height)
        width, height = (max(short_side, round(side * scale)) for side in (width, height))
    image = frame.reformat(width=width, height=height, format='rgb24').to_ndarray()
    if crop_size is not None:
        top, left = (height - crop_size) // 2, (width - crop_size) // 2
        image = image[top:top + crop_size, left:left + crop_size]
    for data in frame.side_data:
        if data.type.name == 'DISPLAYMATRIX':
            return _turned(path, image, struct.unpack('=9i', bytes(data)))
    return image


def _turned(path: Union[str, Path], image: np.ndarray, matrix: tuple[int, ...]) -> np.ndarray:
    """Apply a display matrix: (x, y) of the image is shown at (a x + c y, b x + d y)."""
    a, b, _, c, d = matrix[:5]
    if max(map(abs, (a, b))) < 20 * min(map(abs, (a, b))):
        angle = np.degrees(np.arctan2(b, a))
        raise ValueError(f'{path}: is to be shown at an angle of {angle:.0f} degrees, which is not '
                         'read; turns by 90 degrees are')
    if abs(b) > abs(a):  # axes change places
        image, a, d = image.transpose(1, 0, 2), c, b
    return image[::-1 if d < 0 else 1, ::-1 if a < 0 else 1]
