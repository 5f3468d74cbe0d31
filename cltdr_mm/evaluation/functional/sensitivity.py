"""Which instances a detector finds and which it misses, by their size, at several thresholds.

After Alwassel et al., Diagnosing Error in Temporal Action Detectors, ECCV 2018 (sections 4 and 5),
with what that text leaves open settled as the docstrings say.
"""
from collections.abc import Sequence

import numpy as np

from ..structures import Detections, GroundTruth
from .average_precision import check_tious
from .matching import match, ranking

SIZES = ('XS', 'S', 'M', 'L', 'XL')
NO_COVERAGE = 'not by coverage: the annotations do not tell the duration of all videos'


def instance_sizes(ground_truth: GroundTruth, coverage_edges: Sequence[float],
                   length_edges: Sequence[float],
                   count_edges: Sequence[float]) -> dict[str, np.ndarray]:
    """Bucket of every instance by three characteristics.

    Args:
        ground_truth (GroundTruth): Instances.
        coverage_edges (Sequence[float]): Upper bounds, inclusive, of XS to L by the part of its
            video that an instance covers.
        length_edges (Sequence[float]): Likewise by length in seconds.
        count_edges (Sequence[float]): Upper bounds of XS to M by the number of instances of its
            class in its video.

    Returns:
        dict[str, np.ndarray]: ``coverage``, ``length``, ``instances``: (G,) position in
        :data:`SIZES`. Without ``coverage`` if the duration of a video with instances is not known.
    """
    lengths = ground_truth.segments[:, 1] - ground_truth.segments[:, 0]
    keys = ground_truth.videos * len(ground_truth.classes) + ground_truth.labels
    _, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
    sizes = dict(
        length=np.searchsorted(length_edges, lengths),
        instances=np.searchsorted(count_edges, counts[inverse.reshape(-1)]))
    covered = lengths / ground_truth.durations[ground_truth.videos]
    if np.isnan(covered).any():
        return sizes
    return dict(coverage=np.searchsorted(coverage_edges, covered), **sizes)


def size_ranges(edges: Sequence[float], unit: str = '') -> dict[str, str]:
    """What the buckets of :func:`instance_sizes` stand for, in words.

    Args:
        edges (Sequence[float]): Upper bounds, inclusive.
        unit (str): ``'%'`` writes fractions as percent; whatever else follows the number.
            Defaults to ``''``: counts.

    Returns:
        dict[str, str]: By bucket such as ``'3-6 s'``; of counts such as ``'2-40'``.
    """
    bounds = [f'{100 * edge:g}' if unit == '%' else f'{edge:g}' for edge in edges]
    tail = f' {unit}' if unit else ''
    # the next count after a bound is one more, the next length anything above it
    after = bounds if unit else [f'{edge + 1:g}' for edge in edges]
    found = [f'<= {bounds[0]}{tail}' if unit or edges[0] > 1 else '1']
    found += [f'{low}-{high}{tail}' if low != high else f'{low}{tail}'
              for low, high in zip(after, bounds[1:])]
    found.append(f'> {bounds[-1]}{tail}')
    return dict(zip(SIZES, found))


def sensitivity(detections: Detections,
                ground_truth: GroundTruth,
                sizes: dict[str, np.ndarray],
                tious: Sequence[float],
                tie_order: str = 'stable') -> dict[str, dict[str, dict]]:
    """How well instances of each size are found, at every threshold.

    The AP of a bucket counts only its own instances: detections that claim others are left out,
    false positives stay. Buckets hold different numbers of instances, which alone would change
    their precision, so it is normalised (mAP_N): ``recall * N / (recall * N + false positives)``
    with N the mean number of instances of a class in the whole subset. Its mean over thresholds
    is the average-mAP_N of that paper, that of ``missed`` its average false negative rate.

    Args:
        detections (Detections): What was found.
        ground_truth (GroundTruth): What was to be found.
        sizes (dict[str, np.ndarray]): From :func:`instance_sizes`.
        tious (Sequence[float]): T thresholds.
        tie_order (str): See :func:`.ranking`. Defaults to ``'stable'``.

    Returns:
        dict: characteristic, then bucket (only those with instances), then ``instances`` (int),
        ``mAP_N`` (T,) and ``missed`` (T,), the part that no detection claims. Characteristic
        ``all`` with bucket ``all`` is the whole subset.

    Raises:
        ValueError: If a threshold is not in (0, 1], or there is nothing to be found.
    """
    ground_truth.check_not_empty()
    check_tious(tious)
    ranked = detections.select(ranking(detections.scores, detections.labels, tie_order))
    claimed = match(ranked.segments, ranked.videos, ranked.labels, ground_truth.segments,
                    ground_truth.videos, ground_truth.labels, tious)  # (T, D)
    found = np.zeros((len(tious), len(ground_truth.labels)), dtype=bool)
    threshold, detection = np.nonzero(claimed >= 0)
    found[threshold, claimed[threshold, detection]] = True
    everything = {'all': np.full(len(ground_truth.labels), -1)}
    result: dict = {}
    for name, buckets in {**everything, **sizes}.items():
        result[name] = {}
        for bucket in np.unique(buckets):
            members = buckets == bucket
            result[name]['all' if bucket < 0 else SIZES[bucket]] = dict(
                instances=int(members.sum()),
                mAP_N=_normalised_map(claimed, ranked.labels, ground_truth, members),
                missed=1 - found[:, members].mean(axis=1))
    return result


def _normalised_map(claimed: np.ndarray, labels: np.ndarray, ground_truth: GroundTruth,
                    members: np.ndarray) -> np.ndarray:
    """mAP_N (T,) over the classes that have instances among ``members`` (G,) bool."""
    num_classes = len(ground_truth.classes)
    per_class = np.bincount(ground_truth.labels[members], minlength=num_classes)
    n = len(ground_truth.labels) / max(int(ground_truth.present.sum()), 1)
    bounds = np.searchsorted(labels, np.arange(num_classes + 1))
    values = []
    for c in np.flatnonzero(per_class):
        mine = claimed[:, bounds[c]:bounds[c + 1]]
        wrong = mine < 0
        hit = ~wrong & members[mine]
        # what claims other instances is in neither sum, as if it were not there
        scaled = np.cumsum(hit, axis=1) * (n / per_class[c])
        seen = scaled + np.cumsum(wrong, axis=1)
        precision = np.divide(scaled, seen, out=np.zeros_like(seen), where=seen > 0)
        precision = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
        values.append((precision * hit).sum(axis=1) / per_class[c])
    return np.mean(values, axis=0)
