"""Generated untrimmed feature sequences with planted actions: the embedded data set of the demo.

A class is a path through feature space: three motifs in an order of its own, drawn from a pool
that all classes share, plus a weak component that only this class has. So one step says little,
and the order of motifs matters. A sequence is a background of scenes that change and drift, with
noise; planted into it are actions, a part of them overlapping others, and distractors, paths that
no class takes (other orders of the same motifs) and nobody labels. Actions set in and fade out over
ramps whose middle is the annotated boundary, and differ in strength.
"""
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Optional

import numpy as np


@dataclass
class SyntheticSpec:
    """Sizes and difficulty of a generated data set.

    Args:
        num_train (int): Videos of subset ``train``. Defaults to 160.
        num_test (int): Videos of subset ``test``. Defaults to 40.
        num_validation (int): Videos of subset ``validation``. Defaults to 20.
        num_classes (int): Classes, at most 120. Defaults to 6.
        channels (int): Feature channels. Defaults to 64.
        min_steps (int): Length of the shortest sequence. Defaults to 192.
        max_steps (int): Length of the longest. Defaults to 640.
        fps (float): Frames per second. Defaults to 30.
        stride (int): Frames between feature steps. Defaults to 8.
        window (int): Frames per feature step. Defaults to 16.
        short (float): Median length of the class with the shortest actions, steps.
            Defaults to 6.
        long (float): The same of the class with the longest. Defaults to 80.
        density (float): Part of the time that actions take, about. Defaults to 0.4.
        overlap (float): Chance that an action is overlapped by one of another class.
            Defaults to 0.3.
        distractors (float): Unlabelled paths per 100 steps. Defaults to 1.5.
        ambiguity (float): Widest ramp at a boundary, as part of the action. Defaults to 0.3.
        noise (float): Standard deviation of the noise on every channel; a motif has norm 1
            before its strength. Defaults to 0.7.
        seed (int): The same seed gives the same files. A video depends on the seed, its subset
            and its number alone, not on how many there are. Defaults to 0.

    Raises:
        ValueError: If a size makes no sense.
    """

    num_train: int = 160
    num_test: int = 40
    num_validation: int = 20
    num_classes: int = 6
    channels: int = 64
    min_steps: int = 192
    max_steps: int = 640
    fps: float = 30.0
    stride: int = 8
    window: int = 16
    short: float = 6.0
    long: float = 80.0
    density: float = 0.4
    overlap: float = 0.3
    distractors: float = 1.5
    ambiguity: float = 0.3
    noise: float = 0.7
    seed: int = 0

    def __post_init__(self):
        videos = (self.num_train, self.num_test, self.num_validation)
        if min(videos) < 0 or sum(videos) < 1:
            raise ValueError('synthetic: at least one video is needed')
        if not 1 <= self.num_classes <= 120:
            raise ValueError(f'synthetic: 1 to 120 classes, got {self.num_classes}')
        if self.channels < 1 or not 8 <= self.min_steps <= self.max_steps:
            raise ValueError('synthetic: needs channels >= 1 and 8 <= min_steps <= max_steps')
        if not 0 < self.density < 1 or not 0 < self.short <= self.long:
            raise ValueError('synthetic: needs 0 < density < 1 and 0 < short <= long')
        if not 0 < min(self.fps, self.stride, self.window) <= max(
                self.fps, self.stride, self.window) < np.inf:
            raise ValueError('synthetic: needs positive fps, stride and window')
        if not all(0 <= value < np.inf for value in (
                self.overlap, self.distractors, self.ambiguity, self.noise)):
            raise ValueError('synthetic: needs overlap, distractors, ambiguity and noise that are '
                             'not negative')


class SyntheticWorld:
    """What all videos of one seed share, and how a video is drawn from it.

    Args:
        spec (SyntheticSpec): Sizes and difficulty.
    """

    def __init__(self, spec: SyntheticSpec):
        self.spec = spec
        rng = np.random.default_rng([spec.seed, 0])
        pool = 4
        while len(list(permutations(range(pool), 3))) < 2 * spec.num_classes:
            pool += 1

        def vectors(count: int) -> np.ndarray:
            found = rng.standard_normal((count, spec.channels))
            return found / np.linalg.norm(found, axis=1, keepdims=True)

        paths = rng.permutation(list(permutations(range(pool), 3)))
        self.motifs = vectors(pool)  # (P, C)
        self.scenes = vectors(12)  # (S, C)
        self.own = vectors(spec.num_classes)  # (K, C)
        self.paths = paths[:spec.num_classes]  # (K, 3) motifs of a class in order
        self.other_paths = paths[spec.num_classes:]  # taken by distractors
        # Typical lengths differ between classes, evenly on a logarithmic scale.
        self.medians = np.geomspace(spec.short, spec.long, spec.num_classes)

    def layout(self, rng: np.random.Generator,
               num_steps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Place actions and distractors on an empty sequence.

        Args:
            rng (np.random.Generator): Source of chance.
            num_steps (int): Length of the sequence.

        Returns:
            tuple: Segments of actions (N, 2) in steps, their labels (N,), and segments of
            distractors (M, 2).
        """
        spec = self.spec
        segments, labels = [], []
        gap = self.medians.mean() * (1 - spec.density) / spec.density

        def length(label: int) -> float:
            return max(3.0, self.medians[label] * float(np.exp(0.4 * rng.standard_normal())))

        position = float(rng.exponential(gap))
        while True:
            label = int(rng.integers(spec.num_classes))
            end = position + length(label)
            if end > num_steps - 1:
                break
            segments.append((position, end))
            labels.append(label)
            if spec.num_classes > 1 and rng.random() < spec.overlap:
                other = int((label + rng.integers(1, spec.num_classes)) % spec.num_classes)
                start = float(rng.uniform(position, end))
                stop = start + length(other)
                if stop <= num_steps - 1:
                    segments.append((start, stop))
                    labels.append(other)
                    end = max(end, stop)
            position = end + 2 + float(rng.exponential(gap))
        count = rng.poisson(spec.distractors * num_steps / 100)
        starts = rng.uniform(0, num_steps - 1, count)
        sizes = rng.choice(self.medians, count) * np.exp(0.4 * rng.standard_normal(count))
        distractors = np.stack([starts, np.minimum(starts + sizes, num_steps - 1)], 1)
        return (np.array(segments).reshape(-1, 2), np.array(labels, dtype=int),
                distractors[distractors[:, 1] - distractors[:, 0] > 2])

    def render(self, rng: np.random.Generator, num_steps: int, segments: np.ndarray,
               labels: Sequence[int], distractors: np.ndarray) -> np.ndarray:
        """Features of a sequence with these actions.

        Args:
            rng (np.random.Generator): Source of chance.
            num_steps (int): Length of the sequence.
            segments (np.ndarray): (N, 2) in steps; what lies outside the sequence is not seen.
            labels (Sequence[int]): N labels.
            distractors (np.ndarray): (M, 2) in steps.

        Returns:
            np.ndarray: (num_steps, C) float32.
        """
        spec = self.spec
        feats = spec.noise * rng.standard_normal((num_steps, spec.channels), dtype=np.float32)
        # scenes: piecewise constant, with a slow sway between two of them
        changes = np.cumsum(rng.random(num_steps) < 1 / 60)
        chosen = rng.integers(len(self.scenes), size=(2, changes[-1] + 1))
        sway = 0.5 + 0.5 * np.sin(np.arange(num_steps) / rng.uniform(20, 60) + rng.uniform(0, 6))
        feats += (sway[:, None] * self.scenes[chosen[0, changes]] +
                  (1 - sway)[:, None] * self.scenes[chosen[1, changes]]).astype(np.float32)
        for segment, label in zip(segments, labels):
            self._plant(rng, feats, segment, self.paths[label], self.own[label])
        for segment in distractors:
            path = self.other_paths[rng.integers(len(self.other_paths))]
            self._plant(rng, feats, segment, path, None)
        return feats

    def _plant(self, rng: np.random.Generator, feats: np.ndarray, segment: np.ndarray,
               path: np.ndarray, own: Optional[np.ndarray]) -> None:
        """Add one path to the features, in place."""
        start, end = segment
        size = end - start
        ramps = np.maximum(rng.uniform(0, self.spec.ambiguity, 2) * size, 1.0)  # steps
        gain = rng.uniform(1.6, 2.6)
        low = max(int(np.floor(start - ramps[0] / 2)), 0)
        high = min(int(np.ceil(end + ramps[1] / 2)) + 1, len(feats))
        if low >= high:
            return
        steps = np.arange(low, high)
        shape = (np.clip((steps - start) / ramps[0] + 0.5, 0, 1) *
                 np.clip((end - steps) / ramps[1] + 0.5, 0, 1))
        phase = np.clip((steps - start) / size, 0, 1)
        # first motif fades into the second until the middle, the second into the third after
        weights = np.stack([np.clip(1 - 2 * phase, 0, 1), 1 - np.abs(2 * phase - 1),
                            np.clip(2 * phase - 1, 0, 1)], 1)
        signal = weights @ self.motifs[path]
        if own is not None:
            signal = signal + 0.4 * own
        feats[low:high] += (gain * shape[:, None] * signal).astype(np.float32)
