"""Writes a video again with the labels that run at each moment drawn on it."""
import os
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Union

import numpy as np

from ...datasets.videos.video_frames import frame_size, import_av, read_frames
from ...utils import atomic_path
from ...visualization.subtitles import MAX_LABELS, running_spans

_MOST = 720  # pixels of the shorter side
#: Sound that MP4 takes as it is.
_SOUND = ('aac', 'mp3', 'ac3', 'opus')


def write_labelled_video(video: Union[str, os.PathLike], out: Union[str, os.PathLike],
                         detections: Sequence[dict], classes: Sequence[str] = (),
                         max_labels: int = MAX_LABELS) -> bool:
    """Write a video with running labels and scores, as MP4 (H.264), which browsers play.

    Frames come at the video's average rate and upright, their shorter side at most 720 pixels.
    Sound is copied where MP4 takes it (AAC, MP3, AC-3, Opus).

    Args:
        video (str): The video.
        out (str): The new one, ``.mp4``.
        detections (Sequence[dict]): See :func:`.running_spans`.
        classes (Sequence[str]): Class names, in the order of their colours. Defaults to none.
        max_labels (int): See :func:`.running_spans`. Defaults to 3.

    Returns:
        bool: Whether the new video has all sound that the old one has.

    Raises:
        ImportError: If PyAV is not installed.
        ValueError: If not all of the video can be read, or the new one cannot be written; names
            the video.
    """
    from ...visualization.frame_labels import FrameLabels  # not above: it imports matplotlib

    av = import_av()
    spans = running_spans(detections, max_labels)
    labels = FrameLabels(classes)
    frames = read_frames(video, None, min(_MOST, *frame_size(video)), None)
    try:
        with atomic_path(out) as temporary, av.open(str(video)) as source, \
                av.open(temporary, 'w', format='mp4') as container:
            return _write(av, frames, source, container, spans, labels)
    except av.FFmpegError as error:
        raise ValueError(f'{video}: with labels it cannot be written: {error}') from error


def _write(av, frames: Iterator[tuple], source, container, spans: list, labels) -> bool:
    """Draw and encode frame by frame; whether all sound could be copied."""
    stream, sound, place = None, iter(()), 0
    has_sound, copied = bool(source.streams.audio), False
    for number, (image, rate) in enumerate(frames):
        if stream is None:
            rate = Fraction(rate).limit_denominator(1001)
            stream = container.add_stream('libx264', rate=rate,
                                          options=dict(preset='veryfast', crf='23'))
            stream.height, stream.width = (side // 2 * 2 for side in image.shape[:2])
            stream.pix_fmt = 'yuv420p'
            if has_sound and source.streams.audio[0].codec_context.name in _SOUND:
                copied = True
                sound = _sound(source, container)
        moment = float((number + Fraction(1, 2)) / stream.average_rate)  # the middle of the frame
        while place < len(spans) and spans[place][1] <= moment:
            place += 1
        rows = spans[place][2] if place < len(spans) and spans[place][0] <= moment else ()
        image = labels.draw(image, rows)[:stream.height, :stream.width]
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format='rgb24')
        container.mux(stream.encode(frame))
        sound = _mux_until(sound, container, moment)
    container.mux(stream.encode())
    _mux_until(sound, container, float('inf'))
    return copied or not has_sound


def _sound(source, container) -> Iterator[tuple]:
    """Add a stream of sound; give its packets with their times, from the video's first frame on."""
    old = source.streams.audio[0]
    new = container.add_stream_from_template(old)
    video = source.streams.video[0]
    begin = float((video.start_time or 0) * video.time_base)

    def packets() -> Iterator[tuple]:
        for packet in source.demux(old):
            if packet.dts is None or packet.pts is None:
                continue
            shift = round(begin / packet.time_base)
            packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
            if packet.pts >= 0:
                packet.stream = new
                yield float(packet.pts * packet.time_base), packet
    return packets()


def _mux_until(sound: Iterator[tuple], container, moment: float) -> Iterator[tuple]:
    """Write the sound up to a moment, so that neither waits in memory for the other."""
    for time, packet in sound:
        container.mux(packet)
        if time > moment:
            break
    return sound
