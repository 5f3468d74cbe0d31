"""Inputs of the benchmarks: lengths and actions of real data sets, features from a seed.

``python benchmarks/inputs.py ANNOTATIONS --subset NAME`` prints the deciles below.
"""
import argparse
from dataclasses import dataclass

import numpy as np
import torch
from mmaction.structures import ActionDataSample
from mmengine.structures import InstanceData

from cltdr_mm.evaluation.ground_truth import load_ground_truth
from cltdr_mm.structures import FeatureGrid


@dataclass(frozen=True)
class DataSet:
    """What is known of a data set's videos, in grid steps.

    Attributes:
        fps (float): Frames per second.
        stride (float): Frames between two steps.
        window (float): Frames that a step sees.
        batches (tuple): Lengths of named training batches.
        test (tuple): Lengths of test videos: quantiles 1/16, 3/16 to 15/16.
        lengths (tuple): Deciles of the lengths in training.
        numbers (tuple): Deciles of the number of actions a video in training.
        actions (tuple): Deciles of the actions' lengths in training.
    """

    fps: float
    stride: float
    window: float
    batches: tuple
    test: tuple
    lengths: tuple
    numbers: tuple
    actions: tuple


DATA_SETS = dict(
    # deciles of subset Validation, quantiles of subset Test
    thumos14=DataSet(
        30., 4., 16., ((757, 1154), (463, 2203), (977, 2304), (1453, 1402)),
        (273, 543, 824, 1061, 1335, 1583, 1882, 4486),
        (63, 274, 502, 750, 960, 1125, 1352, 1574, 2067, 3375, 10567),
        (1, 2, 3, 4, 6, 8, 10, 14, 23, 38, 128),
        (1.5, 6.8, 9.8, 13.5, 17.3, 21.8, 27.8, 37.5, 46.5, 60.0, 885.8)),
    # what tools/dataset_converters/hapt.py writes: deciles of subset train, quantiles of test
    hapt=DataSet(
        50., 25., 50., ((656, 825), (715, 749), (600, 1282)),
        (483, 630, 646, 663, 705, 718, 782, 823),
        (600, 656, 676, 697, 715, 749, 767, 808, 825, 844, 1282),
        (18, 20, 20, 20, 20, 20, 20, 20, 21, 21, 23),
        (3.0, 6.4, 7.9, 14.3, 23.4, 25.4, 31.3, 37.5, 42.3, 49.5, 81.3)),
    # what tools/dataset_converters/make_synthetic.py writes
    synthetic=DataSet(
        30., 8., 16., ((292, 362, 441, 593), (196, 328, 472, 639)),
        (223, 265, 343, 369, 437, 487, 537, 592),
        (196, 241, 292, 328, 362, 411, 441, 472, 532, 593, 639),
        (1, 2, 3, 4, 5, 6, 6, 7, 8, 9, 14),
        (3.0, 5.4, 7.4, 9.9, 13.7, 18.7, 26.7, 35.7, 48.2, 70.8, 162.9)),
    # a trial run
    quick=DataSet(
        30., 8., 16., ((96, 160), (64, 200)), (40, 64, 96, 100, 128, 160, 192, 250),
        tuple(range(64, 275, 21)), tuple(range(2, 13)), tuple(range(3, 36, 3))))


def draw(deciles, size: int, g: np.random.Generator) -> np.ndarray:
    """Numbers with these deciles, (size,)."""
    return np.interp(g.random(size), np.linspace(0, 1, len(deciles)), deciles)


def draw_batches(data: DataSet, num: int, longest: int, seed: int) -> list:
    """Lengths of `num` training batches, drawn from the deciles and cut to `longest`."""
    size = len(data.batches[0])
    lengths = draw(data.lengths, size * num, np.random.default_rng(seed))
    return lengths.astype(int).clip(max=longest).reshape(-1, size).tolist()


def draw_video(data: DataSet, steps: int, num_classes: int, seed: int) -> dict:
    """A video with actions drawn from the deciles: JSON of steps, segments and labels."""
    g = np.random.default_rng((seed, steps))
    lengths = draw(data.actions, max(1, round(float(draw(data.numbers, 1, g)[0]))), g)
    lengths = lengths.clip(max=0.9 * steps)
    starts = g.random(len(lengths)) * (steps - lengths)
    return dict(steps=steps, segments=np.stack([starts, starts + lengths], 1).tolist(),
                labels=g.integers(0, num_classes, len(lengths)).tolist())


def real_video(data: DataSet, truth, steps: int, num_classes: int, seed: int) -> dict:
    """A video of `steps` steps with the actions of the annotated one nearest in length."""
    grid = FeatureGrid(data.fps, data.stride, data.window, num_steps=steps)
    video = int(np.abs(grid.to_grid(truth.durations) - steps).argmin())
    segments = grid.to_grid(truth.segments[truth.videos == video])
    segments = segments[segments.mean(1) < steps].clip(0, steps)
    labels = np.random.default_rng((seed, steps)).integers(0, num_classes, len(segments))
    return dict(steps=steps, segments=segments.tolist(), labels=labels.tolist())


def make_batch(data: DataSet, videos: list, channels: int, seed: int) -> dict:
    """A collated batch of plain (C, T) features from a normal distribution."""
    g = torch.Generator().manual_seed(seed)
    inputs, samples = [], []
    for index, video in enumerate(videos):
        grid = FeatureGrid(data.fps, data.stride, data.window, num_steps=video['steps'])
        sample = ActionDataSample(metainfo=dict(
            video_name=f'video {index}', duration=grid.extent, grid=grid))
        sample.gt_instances = InstanceData(
            segments=torch.tensor(video['segments'], dtype=torch.float32).reshape(-1, 2),
            labels=torch.tensor(video['labels'], dtype=torch.int64))
        inputs.append(torch.randn(channels, video['steps'], generator=g))
        samples.append(sample)
    return dict(inputs=inputs, data_samples=samples)


def main() -> None:
    """Print the deciles of an annotation file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('ann_file')
    parser.add_argument('--subset')
    parser.add_argument('--fps', type=float, default=30.)
    parser.add_argument('--stride', type=float, default=4.)
    parser.add_argument('--window', type=float, default=16.)
    args = parser.parse_args()
    truth = load_ground_truth(args.ann_file, args.subset)
    # the last window ends where the video does
    lengths = ((truth.durations * args.fps - args.window) / args.stride).astype(int) + 1
    numbers = np.bincount(truth.videos, minlength=len(lengths))
    actions = np.diff(truth.segments, axis=1)[:, 0] * args.fps / args.stride
    print(f'{len(lengths)} videos, {numbers.mean():.1f} actions each')
    for name, values in dict(lengths=lengths, numbers=numbers, actions=actions).items():
        print(f'{name}:', np.quantile(values, np.linspace(0, 1, 11)).round(1).tolist())
    print('eight quantiles:', np.quantile(lengths, (np.arange(8) + .5) / 8).astype(int).tolist())


if __name__ == '__main__':
    main()
