"""Where things go on a timeline: arrays in, arrays out, nothing is drawn here."""
from dataclasses import dataclass
from typing import Optional

import numpy as np

NO_CLASS = -1  # label of proposals, and of annotations of a data set without classes


@dataclass
class Instances:
    """Instances of one video, ground truth or predicted.

    Args:
        segments (np.ndarray): (N, 2) starts and ends, seconds.
        labels (np.ndarray): (N,) class indices, int; :data:`NO_CLASS` where there is none.
        scores (np.ndarray, optional): (N,); None for ground truth. Defaults to None.

    Raises:
        ValueError: If shapes do not fit each other, or a number is not finite.
    """

    segments: np.ndarray
    labels: np.ndarray
    scores: Optional[np.ndarray] = None

    def __post_init__(self):
        self.segments = np.asarray(self.segments, dtype=np.float64).reshape(-1, 2)
        self.labels = np.asarray(self.labels, dtype=np.int64).reshape(-1)
        if len(self.labels) != len(self.segments):
            raise ValueError(f'{len(self.segments)} segments, but {len(self.labels)} labels')
        if not np.isfinite(self.segments).all():
            raise ValueError('a segment has a start or an end that is not a finite number')
        if self.scores is not None:
            self.scores = np.asarray(self.scores, dtype=np.float64).reshape(-1)
            if len(self.scores) != len(self.segments):
                raise ValueError(f'{len(self.segments)} segments, but {len(self.scores)} scores')
            if not np.isfinite(self.scores).all():
                raise ValueError('a score is not a finite number')

    def __len__(self) -> int:
        return len(self.segments)

    def take(self, index: np.ndarray) -> 'Instances':
        """The instances that a mask or an index array picks, in its order."""
        scores = None if self.scores is None else self.scores[index]
        return Instances(self.segments[index], self.labels[index], scores)

    def within(self, start: float, end: float) -> 'Instances':
        """The instances that reach into ``[start, end]``, clipped to it."""
        inside = (self.segments[:, 1] >= start) & (self.segments[:, 0] <= end)
        picked = self.take(inside)
        picked.segments = picked.segments.clip(start, end)
        return picked


def strongest(predictions: Instances, score_thr: Optional[float] = None,
              top_k: Optional[int] = None) -> Instances:
    """Pick the detections worth a look.

    Args:
        predictions (Instances): Detections with scores.
        score_thr (float, optional): Smallest score. Defaults to None, no limit.
        top_k (int, optional): Largest number. Defaults to None, no limit.

    Returns:
        Instances: By falling score; equal scores stay in their order.

    Raises:
        ValueError: If ``top_k`` is negative.
    """
    if top_k is not None and top_k < 0:
        raise ValueError(f'top_k must not be negative, got {top_k}')
    order = np.argsort(-predictions.scores, kind='stable')
    if score_thr is not None:
        order = order[predictions.scores[order] >= score_thr]
    return predictions.take(order if top_k is None else order[:top_k])


def assign_lanes(segments: np.ndarray, max_lanes: Optional[int] = None) -> np.ndarray:
    """Give every segment the first lane in which it overlaps nobody who came before it.

    With detections in order of falling score the first lane then holds the strongest set without
    overlap; with ground truth in order of starts the number of lanes is the smallest possible.

    Args:
        segments (np.ndarray): (N, 2), the most important first.
        max_lanes (int, optional): Lanes there are. Defaults to None, no limit.

    Returns:
        np.ndarray: (N,) int, lane of each segment; -1 where no lane has room.
    """
    starts, ends = segments[:, 0], segments[:, 1]
    lanes = np.full(len(segments), -1, dtype=np.int64)
    taken = []  # per lane the indices that lie in it
    for i in range(len(segments)):
        for lane, members in enumerate(taken):
            if not ((starts[members] < ends[i]) & (ends[members] > starts[i])).any():
                lanes[i] = lane
                members.append(i)
                break
        else:
            if max_lanes is None or len(taken) < max_lanes:
                lanes[i] = len(taken)
                taken.append([i])
    return lanes


def uncovered(segments: np.ndarray, start: float, end: float) -> np.ndarray:
    """The stretches of ``[start, end]`` that no segment covers.

    Args:
        segments (np.ndarray): (N, 2), in any order.
        start (float): Where to begin.
        end (float): Where to stop.

    Returns:
        np.ndarray: (M, 2), sorted.
    """
    gaps, reached = [], start
    for left, right in segments[np.argsort(segments[:, 0])] if len(segments) else ():
        if left > reached:
            gaps.append((reached, min(left, end)))
        reached = max(reached, right)
        if reached >= end:
            break
    if reached < end:
        gaps.append((reached, end))
    return np.asarray([g for g in gaps if g[1] > g[0]], dtype=np.float64).reshape(-1, 2)


def choose_classes(truth: Instances, predictions: Instances, max_classes: int) -> tuple:
    """Which classes get a row of their own, and in which order.

    All that occur if there is room; otherwise those with most ground truth, ties by their
    strongest detection. Rows follow the first instance in time, classes without ground truth come
    last by falling score.

    Args:
        truth (Instances): Ground truth.
        predictions (Instances): Detections that will be shown.
        max_classes (int): Rows there are.

    Returns:
        tuple[list[int], list[int]]: Classes with a row, in order; classes without one.

    Raises:
        ValueError: If ``max_classes`` is negative.
    """
    if max_classes < 0:
        raise ValueError(f'max_classes must not be negative, got {max_classes}')
    present = np.union1d(truth.labels, predictions.labels).tolist()
    count = {c: int((truth.labels == c).sum()) for c in present}
    best = {c: float(predictions.scores[predictions.labels == c].max(initial=-np.inf))
            for c in present}
    present.sort(key=lambda c: (-count[c], -best[c], c))
    kept, rest = present[:max_classes], present[max_classes:]
    first = {c: float(truth.segments[truth.labels == c, 0].min(initial=np.inf)) for c in kept}
    kept.sort(key=lambda c: (first[c], -best[c], c))
    return kept, rest


def envelope(times: np.ndarray, values: np.ndarray, columns: int) -> tuple:
    """Lower and upper bound of a long signal per picture column, so that no peak is lost.

    Args:
        times (np.ndarray): (T,) rising, seconds.
        values (np.ndarray): (T,).
        columns (int): Bins wanted; a signal of fewer samples is returned as it is.

    Returns:
        tuple[np.ndarray, np.ndarray, np.ndarray]: Times, lower and upper bounds, equally long.
    """
    if len(times) <= columns:
        return times, values, values
    cuts = np.linspace(0, len(times), columns + 1).astype(np.int64)[:-1]
    return times[cuts], np.minimum.reduceat(values, cuts), np.maximum.reduceat(values, cuts)
