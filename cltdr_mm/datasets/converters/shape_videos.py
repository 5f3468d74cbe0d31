"""Videos of moving shapes with a table of labels: raw videos to try everything on, in seconds."""
import csv
import os.path as osp
from fractions import Fraction
from pathlib import Path
from typing import Optional

from ...utils import TALDataError
from .common import whole_folder
from .shape_world import ShapeSpec, ShapeVideo

LABELS = 'labels.csv'


def make_shape_videos(out_dir: str, spec: Optional[ShapeSpec] = None) -> dict:
    """Generate videos ``videos/<video>.mp4`` and what happens in them, ``labels.csv``.

    The table has the columns video, start, end (seconds) and label; a video without an action has
    a row with nothing else in it. Only one frame is in memory at a time.

    Args:
        out_dir (str): Folder to write to.
        spec (ShapeSpec, optional): Defaults to None: all defaults.

    Returns:
        dict: By name of the video a dict with ``duration`` in seconds, ``fps`` and
        ``annotations``, each with ``segment`` in seconds and ``label``.

    Raises:
        ImportError: If PyAV is not installed.
        TALDataError: If the folder has videos or labels already.
    """
    spec = spec or ShapeSpec()
    for name in ('videos', LABELS):
        if osp.lexists(osp.join(out_dir, name)):
            raise TALDataError.of('shape videos', out_dir, 'folder', f'has {name} already; take '
                                  'another folder, or remove what is there')
    database = {}
    with whole_folder(out_dir) as folder:
        for index in range(spec.num_videos):
            video = ShapeVideo(spec, index)
            name = f'shapes_{index:02d}'
            write_video(osp.join(folder, 'videos', f'{name}.mp4'), video.frames(), spec.fps)
            database[name] = dict(
                duration=video.duration, fps=spec.fps,
                annotations=[dict(segment=[round(event.start, 3), round(event.end, 3)],
                                  label=event.kind) for event in video.actions])
        with open(osp.join(folder, LABELS), 'w', encoding='utf-8', newline='') as file:
            writer = csv.writer(file, lineterminator='\n')
            writer.writerow(('video', 'start', 'end', 'label'))
            for name, entry in database.items():
                writer.writerows([(name, *one['segment'], one['label'])
                                  for one in entry['annotations']] or [(name, '', '', '')])
    return database


def write_video(path: str, frames, fps: float) -> None:
    """Write frames to an mp4 file: H.264 where PyAV has an encoder for it, else MPEG-4.

    Args:
        path (str): The file; missing folders are made.
        frames (Iterable[np.ndarray]): (H, W, 3) uint8 RGB each, of one even size.
        fps (float): Frames per second.

    Raises:
        ImportError: If PyAV is not installed.
    """
    try:
        import av
    except ImportError as error:
        raise ImportError(
            'writing videos needs PyAV: pip install "cltdr-mm[video]"') from error

    try:
        codec = av.codec.Codec('libx264', 'w').name
        # without that option its arithmetic depends on the CPU, and on where in memory a frame lies
        options = {'preset': 'veryfast', 'crf': '23', 'x264-params': 'cpu-independent=1'}
    except av.codec.codec.UnknownCodecError:
        codec, options = 'mpeg4', dict(qscale='3')
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    rate = Fraction(fps).limit_denominator(1001)
    # the index of frames goes first, so that a browser can jump before it has the whole file
    with av.open(path, 'w', options=dict(movflags='faststart')) as container:
        stream = container.add_stream(codec, rate=rate, options=options)
        stream.pix_fmt = 'yuv420p'
        stream.codec_context.thread_count = 1  # how many cores there are changes no frame
        for number, image in enumerate(frames):
            if number == 0:
                stream.height, stream.width = image.shape[:2]
            frame = av.VideoFrame.from_ndarray(image, format='rgb24')
            frame.pts, frame.time_base = number, 1 / rate
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
