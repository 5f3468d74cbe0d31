"""What a data set holds: numbers and lengths of its instances, background, overlap.

Everything is computed from samples as :class:`.TALDataset` makes them, before any pipeline.
"""
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Optional

import numpy as np

from .windows import sample_grid

#: Quantiles of lengths that tables show.
QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
#: Half width, in strides of a level, of the zone in which points answer for an instance.
RADIUS = 1.5


@dataclass(frozen=True)
class SubsetStatistics:
    """The instances and videos of one subset; V videos, N instances, K classes.

    Args:
        classes (tuple[str, ...]): Class names.
        durations (np.ndarray): (V,) seconds.
        steps (np.ndarray): (V,) int64, lengths of the feature sequences.
        video (np.ndarray): (N,) int64, which video an instance is of.
        labels (np.ndarray): (N,) int64.
        seconds (np.ndarray): (N, 2) starts and ends in seconds.
        segments (np.ndarray): (N, 2) the same in grid steps of its video.
    """

    classes: tuple[str, ...]
    durations: np.ndarray
    steps: np.ndarray
    video: np.ndarray
    labels: np.ndarray
    seconds: np.ndarray
    segments: np.ndarray

    @classmethod
    def of(cls, infos: Sequence[Mapping], classes: Sequence[str],
           resized: Optional[int] = None) -> 'SubsetStatistics':
        """Gather the samples of a data set without sliding windows.

        Args:
            infos (Sequence[Mapping]): ``duration``, ``fps``, ``stride``, ``window``,
                ``num_steps``, ``gt_segments`` and ``gt_labels`` of each video.
            classes (Sequence[str]): Class names.
            resized (int, optional): Steps that the pipeline resamples every sequence to.
                Defaults to None: it does not.
        """
        counts = [len(info['gt_labels']) for info in infos]
        grids = [sample_grid(info, info['num_steps']) for info in infos]
        if resized is not None:
            grids = [grid.resize(resized) for grid in grids]
        segments = [grid.to_grid(info['gt_segments']) for grid, info in zip(grids, infos)]

        def joined(parts: list, shape: tuple, dtype: type) -> np.ndarray:
            return np.concatenate([np.zeros(shape, dtype), *parts]).astype(dtype)

        return cls(
            classes=tuple(classes),
            durations=np.array([info['duration'] for info in infos], np.float64),
            steps=np.array([grid.num_steps for grid in grids], np.int64),
            video=np.repeat(np.arange(len(infos)), counts),
            labels=joined([info['gt_labels'] for info in infos], (0, ), np.int64),
            seconds=joined([info['gt_segments'] for info in infos], (0, 2), np.float64),
            segments=joined(segments, (0, 2), np.float64))

    @property
    def num_videos(self) -> int:
        """int: V."""
        return len(self.durations)

    @property
    def num_instances(self) -> int:
        """int: N."""
        return len(self.labels)

    @property
    def lengths(self) -> np.ndarray:
        """np.ndarray: (N,) in grid steps."""
        return self.segments[:, 1] - self.segments[:, 0]

    @property
    def lengths_in_seconds(self) -> np.ndarray:
        """np.ndarray: (N,)."""
        return self.seconds[:, 1] - self.seconds[:, 0]

    @property
    def per_class(self) -> np.ndarray:
        """np.ndarray: (K,) int64 instances of each class."""
        return np.bincount(self.labels, minlength=len(self.classes))

    @property
    def per_video(self) -> np.ndarray:
        """np.ndarray: (V,) int64 instances of each video."""
        return np.bincount(self.video, minlength=self.num_videos)

    @cached_property
    def background(self) -> float:
        """float: Share of the videos' time that no instance covers; 0 without videos."""
        total = self.durations.sum()
        covered = sum(covered_length(np.clip(self.seconds[self.video == i], 0, duration))
                      for i, duration in enumerate(self.durations))
        return float(1 - covered / total) if total else 0.0

    @cached_property
    def overlap(self) -> float:
        """float: Share of the instances that overlap another of their video; 0 without any."""
        if not self.num_instances:
            return 0.0
        return float(np.mean(np.concatenate(
            [overlapping(self.seconds[self.video == i]) for i in range(self.num_videos)])))

    def length_quantile(self, share: float) -> float:
        """Length in grid steps that ``share`` of the instances do not exceed.

        Raises:
            ValueError: If there is no instance.
        """
        if not self.num_instances:
            raise ValueError('there is no instance whose length could be measured')
        return float(np.quantile(self.lengths, share))


def covered_length(segments: np.ndarray) -> float:
    """Length of the union of (N, 2) segments, in their unit."""
    covered, reached = 0.0, -np.inf
    for start, end in sorted(map(tuple, segments)):
        covered += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return covered


def overlapping(segments: np.ndarray) -> np.ndarray:
    """Say of each of (N, 2) segments whether it shares time with another; (N,) bool."""
    found = np.zeros(len(segments), bool)
    order = np.argsort(segments[:, 0], kind='stable')
    last, reached = None, -np.inf  # the segment seen so far that ends last
    for i in order:
        if segments[i, 0] < reached:
            found[[i, last]] = True
        if segments[i, 1] > reached:
            last, reached = i, segments[i, 1]
    return found


def answering_levels(segments: np.ndarray,
                     ranges: Sequence[tuple[float, float]],
                     radius: float = RADIUS) -> np.ndarray:
    """On which levels of a pyramid instances have points that learn them.

    As with :class:`.CenterSamplingAssigner`, before conflicts among instances are settled: a point
    lies inside the instance, within ``radius`` strides of its centre, and its farther boundary in
    the range of the level. Level l has a point every ``2 ** l`` steps.

    Args:
        segments (np.ndarray): (N, 2) in grid steps.
        ranges (Sequence[tuple[float, float]]): Regression range of each of L levels, grid steps.
        radius (float): Defaults to 1.5.

    Returns:
        np.ndarray: (N, L) bool. An instance without any is learned from no point.
    """
    starts, ends = segments[:, :1], segments[:, 1:]
    centres = (starts + ends) / 2
    found = np.zeros((len(segments), len(ranges)), bool)
    for level, (low, high) in enumerate(ranges):
        stride = 2**level
        first = np.ceil((centres - radius * stride) / stride)
        points = (first + np.arange(int(2 * radius) + 1)) * stride  # (N, points in the zone)
        far = np.maximum(points - starts, ends - points)
        inside = (points > starts) & (points < ends) & (np.abs(points - centres) < radius * stride)
        found[:, level] = (inside & (points >= 0) & (far >= low) & (far <= high)).any(1)
    return found


def level_shares(segments: np.ndarray,
                 ranges: Sequence[tuple[float, float]]) -> tuple[np.ndarray, float]:
    """Share of instances that each level learns, see :func:`answering_levels`.

    Args:
        segments (np.ndarray): (N, 2) in grid steps.
        ranges (Sequence[tuple[float, float]]): Regression range of each of L levels.

    Returns:
        tuple[np.ndarray, float]: (L,) shares, which sum to more than 1 as neighbouring levels
        share instances, and the share that no level learns. All 0 without instances.
    """
    if not len(segments):
        return np.zeros(len(ranges)), 0.0
    found = answering_levels(segments, ranges)
    return found.mean(0), float(1 - found.any(1).mean())
