"""A data set of generated videos to learn from pixels: annotated videos, and clips to begin with.

The videos are those of :mod:`.shape_world`, small enough to train a network on their frames without
a GPU. The clips are what a recognizer trains on before: a video file each, with one action from its
start to its end.
"""
import itertools
import os.path as osp
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from ...utils import TALDataError
from .common import ANNOTATIONS, save_annotations, whole_folder
from .shape_motions import ACTIONS
from .shape_videos import write_video
from .shape_world import ShapeSpec, ShapeVideo

#: Frames that are small and few.
PIXELS = ShapeSpec(min_seconds=20, max_seconds=40, fps=10, width=48, height=48, scale=1.5)
CLASSES = sorted(ACTIONS)
#: A video of a subset is drawn from the seed, the subset's place here and its number.
_STREAMS = ('train', 'test', 'validation', 'clips/train', 'clips/val')


def make_pixel_set(out_dir: str, spec: ShapeSpec = PIXELS, num_train: int = 40, num_test: int = 20,
                   num_validation: int = 10, num_clips: int = 480) -> dict:
    """Generate ``videos/<video>.mp4`` with ``annotations.json``, and ``clips/``.

    ``clips/train.txt`` and ``clips/val.txt`` list the clips as MMAction2's ``VideoDataset`` reads
    them, a file and a label a line. They are cut out of videos of their own, with the same actions
    one at a time; there is one in ``val`` for every six in ``train``.

    Args:
        out_dir (str): Folder to write to.
        spec (ShapeSpec): Sizes and difficulty; ``num_videos`` is not used. Defaults to ``PIXELS``.
        num_train (int): Videos of subset ``train``. Defaults to 40.
        num_test (int): Videos of subset ``test``. Defaults to 20.
        num_validation (int): Videos of subset ``validation``. Defaults to 10.
        num_clips (int): Clips in ``train``; 0: none at all. Defaults to 480.

    Returns:
        dict: The database of the annotation file.

    Raises:
        ImportError: If PyAV is not installed.
        TALDataError: If the folder has videos, clips or annotations already.
        ValueError: If a number of videos or clips makes no sense.
    """
    counts = dict(train=num_train, test=num_test, validation=num_validation)
    if min(*counts.values(), num_clips) < 0 or sum(counts.values()) < 1:
        raise ValueError('pixel set: at least one video is needed, and no number below 0')
    for name in ('videos', 'clips', ANNOTATIONS):
        if osp.lexists(osp.join(out_dir, name)):
            raise TALDataError.of('pixel set', out_dir, 'folder', f'has {name} already; take '
                                  'another folder, or remove what is there')
    database = {}
    with whole_folder(out_dir) as folder:
        for subset, count in counts.items():
            for index in range(count):
                video, name = _film(spec, subset, index), f'{subset}_{index:03d}'
                write_video(osp.join(folder, 'videos', f'{name}.mp4'), video.frames(), spec.fps)
                database[name] = dict(
                    subset=subset, duration=video.duration, fps=spec.fps,
                    annotations=[dict(segment=[round(event.start, 3), round(event.end, 3)],
                                      label=event.kind, label_id=CLASSES.index(event.kind))
                                 for event in video.actions])
        for part, count in (('train', num_clips), ('val', num_clips // 6)):
            lines = []
            clips = itertools.islice(_clips(spec, f'clips/{part}'), count)
            for number, (kind, frames) in enumerate(clips):
                name = f'{part}/{kind}_{number:04d}.mp4'
                write_video(osp.join(folder, 'clips', name), frames, spec.fps)
                lines.append(f'{name} {CLASSES.index(kind)}\n')
            if lines:
                Path(folder, 'clips', f'{part}.txt').write_text(''.join(lines), encoding='utf-8')
        save_annotations(osp.join(folder, ANNOTATIONS), database, CLASSES,
                         f'videos of shapes, seed {spec.seed}',
                         source=osp.join(out_dir, ANNOTATIONS))
    return database


def _film(spec: ShapeSpec, stream: str, index: int) -> ShapeVideo:
    """A video that no other stream has."""
    return ShapeVideo(spec, index * len(_STREAMS) + _STREAMS.index(stream))


def _clips(spec: ShapeSpec, stream: str) -> Iterator[tuple[str, list[np.ndarray]]]:
    """Actions one at a time, with what may happen beside them: their names and frames."""
    spec = replace(spec, overlap=0.0, gap=0.2)  # so that few frames are drawn in vain
    for index in itertools.count():
        video = _film(spec, stream, index)
        frames = list(video.frames())
        for event in video.actions:
            first, end = (int(np.ceil(time * spec.fps)) for time in (event.start, event.end))
            yield event.kind, frames[first:end]
