"""Small videos whose frames show their numbers, and data sets of them."""
import json
from fractions import Fraction
from pathlib import Path

import numpy as np

CLASSES = ('jump', 'run')
HEIGHT, WIDTH = 48, 64


def picture(k: int) -> np.ndarray:
    """Frame k: the bits of its number, of up to 8, as bright and dark columns."""
    bits = np.array([(k >> b) & 1 for b in range(8)], np.uint8)
    return np.repeat(bits * 200 + 20, WIDTH // 8)[None, :, None].repeat(HEIGHT, 0).repeat(3, 2)


def number(image: np.ndarray) -> int:
    """The number, up to 255, that a frame (H, W, 3) of any size shows."""
    columns = np.asarray(image).mean((0, 2)).reshape(8, -1).mean(1) > 128
    return int((columns << np.arange(8)).sum())


def write(path, times, codec='libx264', gop=12, turn=None, image=picture) -> str:
    """Frames at times in ms, with B frames where the codec has them; turned for display."""
    import av
    with av.open(str(path), 'w') as container:
        stream = container.add_stream(codec, rate=25, options=dict(g=str(gop), bf='2'))
        stream.height, stream.width = image(0).shape[:2]
        stream.pix_fmt, stream.bit_rate = 'yuv420p', 4_000_000
        stream.time_base = stream.codec_context.time_base = base = Fraction(1, 1000)
        if turn is not None:
            stream.set_display_rotation(turn)
        for k, time in enumerate(times):
            frame = av.VideoFrame.from_ndarray(image(k), format='rgb24')
            frame.pts, frame.time_base = int(time), base
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return str(path)


def steady(count: int, period: int = 40, start: int = 0) -> list:
    """Times of frames, ms."""
    return [start + period * k for k in range(count)]


class VideoSet:
    """Videos of 25 frames a second and their annotations; tests spoil what they like.

    Args:
        root (Path): Folder to write to.
        frames (Sequence[int]): Of each video; all but the last one are for training.
    """

    def __init__(self, root: Path, frames=(100, 210, 75)):
        self.root = root
        self.database = {}
        (root / 'videos').mkdir()
        for i, count in enumerate(frames):
            write(self.video(f'v{i}'), steady(count))
            self.database[f'v{i}'] = dict(
                subset='training' if i + 1 < len(frames) else 'test', duration=count / 25, fps=25,
                annotations=[dict(segment=[0.4, 1.2], label='jump'),
                             dict(segment=[count / 25 - 1, count / 25], label='run')])

    def video(self, name: str) -> Path:
        return self.root / 'videos' / f'{name}.mp4'

    def settings(self, **changes) -> dict:
        """Arguments of a data set of them, whose annotation file is written."""
        (self.root / 'ann.json').write_text(json.dumps(dict(database=self.database)))
        return dict(dict(
            type='TALVideoDataset', ann_file='ann.json', data_root=str(self.root),
            data_prefix=dict(video='videos'), feature_stride=4, metainfo=dict(classes=CLASSES),
            pipeline=[dict(type='SampleTALFrames'), dict(type='LoadTALFrames'),
                      dict(type='PackTALInputs')]), **changes)

    def build(self, **changes):
        from mmaction.registry import DATASETS
        return DATASETS.build(self.settings(**changes))
