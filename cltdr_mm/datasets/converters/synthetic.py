"""Data sets of generated features: the embedded one of the demo, and miniatures of benchmarks."""
import os.path as osp
from collections import Counter
from collections.abc import Sequence
from typing import Optional

import numpy as np

from ...structures import FeatureGrid
from ...utils import Problem, TALDataError, name_problem, size_problem
from ..annotation_checks import VideoAnnotation
from ..annotations import load_annotations
from .common import (
    ANNOTATIONS,
    refuse_other_features,
    save_annotations,
    save_feature,
    whole_folder,
)
from .synthetic_world import SyntheticSpec, SyntheticWorld


def make_synthetic(out_dir: str, spec: Optional[SyntheticSpec] = None) -> dict:
    """Generate a data set: ``features/<video>.npy`` ((T, C) float32) and ``annotations.json``.

    One video is held in memory at a time.

    Args:
        out_dir (str): Folder to write to.
        spec (SyntheticSpec, optional): Defaults to None: all defaults.

    Returns:
        dict: The database of the annotation file.

    Raises:
        TALDataError: If the folder has features of other videos.
    """
    spec = spec or SyntheticSpec()
    world = SyntheticWorld(spec)
    classes = [f'action_{i:02d}' for i in range(spec.num_classes)]
    database = {}
    # a video is drawn from its subset's place here: new ones go last
    counts = (('train', spec.num_train), ('test', spec.num_test),
              ('validation', spec.num_validation))
    videos = [(split, subset, index, f'{subset}_{index:05d}')
              for split, (subset, count) in enumerate(counts) for index in range(count)]
    refuse_other_features(out_dir, [video[-1] for video in videos])
    with whole_folder(out_dir) as folder:
        for split, subset, index, name in videos:
            rng = np.random.default_rng([spec.seed, 1, split, index])
            num_steps = int(rng.integers(spec.min_steps, spec.max_steps + 1))
            segments, labels, distractors = world.layout(rng, num_steps)
            feats = world.render(rng, num_steps, segments, labels, distractors)
            grid = FeatureGrid(spec.fps, spec.stride, spec.window, num_steps)
            database[name] = dict(
                subset=subset, duration=grid.extent, fps=spec.fps,
                annotations=[
                    dict(segment=np.round(seconds, 3).tolist(), label=classes[label],
                         label_id=int(label))
                    for seconds, label in zip(grid.to_seconds(segments), labels)
                ])
            save_feature(osp.join(folder, 'features'), name, feats)
        save_annotations(osp.join(folder, ANNOTATIONS), database, classes,
                         f'synthetic, seed {spec.seed}', source=osp.join(out_dir, ANNOTATIONS))
    return database


def make_features_for(ann_file: str,
                      out_dir: str,
                      spec: SyntheticSpec,
                      classes: Optional[Sequence[str]] = None,
                      max_videos: Optional[int] = None,
                      **checks) -> dict:
    """Generate features that fit an existing annotation file: a miniature of a benchmark.

    The features have the lengths that the spec's stride and window ask for at each video's own
    fps, and show the annotated segments.

    Args:
        ann_file (str): Annotation file, say of THUMOS14.
        out_dir (str): Folder to write ``features/`` and ``annotations.json`` to.
        spec (SyntheticSpec): ``channels``, ``stride``, ``window``, ``noise``, ``distractors``,
            ``ambiguity`` and ``seed`` are used; ``num_classes`` must be that of the file.
        classes (Sequence[str], optional): Class names. Defaults to None: the file's own list.
        max_videos (int, optional): Videos to take of each subset, in the file's order.
            Defaults to None: all.
        **checks: Further arguments of :class:`AnnotationChecker`.

    Returns:
        dict: The database of the annotation file written.

    Raises:
        TALDataError: If the annotation file has problems, or the folder has features of other
            videos.
        ValueError: If the number of classes differs from the spec's.
    """
    videos, problems, classes = load_annotations(ann_file, classes, **checks)
    frames = [min(video.duration * video.fps, 1e15) for video in videos]
    steps = [max(1, int((count - spec.window) // spec.stride) + 1) for count in frames]
    for video, num_steps in zip(videos, steps):
        why = name_problem(video.video_name)
        if why is not None:
            problems.append(Problem(ann_file, video.video_name, 'video name', why))
        why = size_problem(num_steps * spec.channels * np.dtype(float).itemsize)
        if why is not None:
            problems.append(Problem(
                ann_file, video.video_name, 'duration', f'features of {video.duration:g} s {why}'))
    if problems:
        raise TALDataError(problems, 'generating features')
    if len(classes) != spec.num_classes:
        raise ValueError(f'{ann_file} has {len(classes)} classes, the spec {spec.num_classes}')
    world = SyntheticWorld(spec)
    database: dict = {}
    taken, chosen = Counter(), []
    for index, (video, num_steps) in enumerate(zip(videos, steps)):
        taken[video.subset] += 1
        if max_videos is None or taken[video.subset] <= max_videos:
            chosen.append((index, video, num_steps))
    refuse_other_features(out_dir, [video.video_name for _, video, _ in chosen])
    with whole_folder(out_dir) as folder:
        for index, video, num_steps in chosen:
            rng = np.random.default_rng([spec.seed, 2, index])
            feats = _annotated_features(world, rng, video, num_steps)
            save_feature(osp.join(folder, 'features'), video.video_name, feats)
            database[video.video_name] = dict(
                subset=video.subset, duration=video.duration, fps=video.fps,
                annotations=[dict(segment=segment, label=classes[label], label_id=label)
                             for segment, label in zip(video.segments.tolist(),
                                                       video.labels.tolist())])
        save_annotations(osp.join(folder, ANNOTATIONS), database, classes,
                         f'generated features for {osp.basename(ann_file)}',
                         checks.get('duration_tolerance', 0.1), checks.get('exempt_videos', ()),
                         source=ann_file)
    return database


def _annotated_features(world: SyntheticWorld, rng: np.random.Generator, video: VideoAnnotation,
                        num_steps: int) -> np.ndarray:
    """Features (num_steps, C) of a video that show its segments, with distractors."""
    spec = world.spec
    grid = FeatureGrid(video.fps, spec.stride, spec.window, num_steps)
    starts = rng.uniform(0, num_steps, rng.poisson(spec.distractors * num_steps / 100))
    distractors = np.stack([starts, starts + rng.uniform(5, 50, len(starts))], 1)
    return world.render(rng, num_steps, grid.to_grid(video.segments), video.labels, distractors)
