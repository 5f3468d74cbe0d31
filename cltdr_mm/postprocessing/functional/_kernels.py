"""Soft-NMS compiled by numba: one kernel that re-scores lazily, one that re-scores everything.

Both give the same numbers in the same order: a candidate's score is multiplied by the weights of
the kept candidates of its class, one after the other in the order they were kept, whether that
happens at once (direct) or when the candidate comes up (lazy). Scores only ever fall, so the
largest key of a heap is an upper bound: when the candidate on top has met every kept candidate of
its class it is the next to keep, and nothing after the last one needed is ever looked at.

Ties are broken by the smaller label, then by the smaller index. Importing this module imports
numba; :mod:`.soft_nms` does so on first use.
"""
import math

import numba
import numpy as np

HARD, LINEAR, GAUSSIAN = 0, 1, 2
# Keeps two segments of length zero from dividing 0 by 0; the published operator adds the same.
LENGTH_EPS = 1e-6


def _compile(function):
    """Compile with an on-disk cache where one can be written, without it elsewhere."""
    try:
        return numba.njit(cache=True, nogil=True, error_model='numpy')(function)
    except RuntimeError:  # numba finds neither the package folder nor a user cache writable
        return numba.njit(nogil=True, error_model='numpy')(function)


@_compile
def _weight(inter, length_a, length_b, method, sigma, iou_threshold):
    """Factor for a candidate that shares ``inter`` > 0 with a kept one; -1 to drop it."""
    iou = inter / (length_a + length_b - inter)
    if method == GAUSSIAN:
        return math.exp(-(iou * iou) / sigma)
    if iou < iou_threshold:
        return 1.0
    if method == LINEAR:
        return 1.0 - iou
    return -1.0


@_compile
def _sift_down(keys, items, size, root):
    """Restore the heap below ``root``: larger key first, then smaller item."""
    key, item = keys[root], items[root]
    while True:
        child = 2 * root + 1
        if child >= size:
            break
        other = child + 1
        if other < size and (keys[other] > keys[child] or
                             (keys[other] == keys[child] and items[other] < items[child])):
            child = other
        if keys[child] < key or (keys[child] == key and items[child] > item):
            break
        keys[root], items[root] = keys[child], items[child]
        root = child
    keys[root], items[root] = key, item


@_compile
def group_by_class(classes, num_classes):
    """Stable order of the candidates by class: (order (M,), first (num_classes + 1,))."""
    first = np.zeros(num_classes + 1, np.int64)
    for c in classes:
        first[c + 1] += 1
    for c in range(num_classes):
        first[c + 1] += first[c]
    place = first[:-1].copy()
    order = np.empty(classes.size, np.int64)
    for i in range(classes.size):
        order[place[classes[i]]] = i
        place[classes[i]] += 1
    return order, first


@_compile
def lazy_soft_nms(segments, scores, order, first, method, sigma, iou_threshold, min_score,
                  max_num):
    """Soft-NMS of all classes at once with a heap and lazy re-scoring.

    Args:
        segments (np.ndarray): (M, 2), any float type; computed in float64.
        scores (np.ndarray): (M,), not negative.
        order (np.ndarray): (M,) int64, candidates grouped by class.
        first (np.ndarray): (K + 1,) int64, where each class begins in ``order``.
        method (int): HARD, LINEAR or GAUSSIAN.
        sigma (float): Width of the Gaussian.
        iou_threshold (float): From which IoU the other methods act.
        min_score (float): Candidates that fall below are dropped, but for the best of a class.
        max_num (int): Stop after so many.

    Returns:
        tuple: kept (N,) int64 indices of candidates, their scores (N,) float64, best first.
    """
    num, num_classes = scores.size, first.size - 1
    max_num = min(max_num, num)
    # Position in `order` is the identity of a candidate below: comparing positions compares
    # (label, index), and a class's candidates lie together in memory.
    keys, items = np.empty(num, np.float64), np.empty(num, np.int32)
    cls = np.empty(num, np.int32)
    size = 0
    for c in range(num_classes):
        best = -1
        for p in range(first[c], first[c + 1]):
            cls[p] = c
            if best < 0 or scores[order[p]] > scores[order[best]]:
                best = p
        for p in range(first[c], first[c + 1]):
            if p == best or scores[order[p]] >= min_score:
                keys[size], items[size] = scores[order[p]], p
                size += 1
    for root in range(size // 2 - 1, -1, -1):
        _sift_down(keys, items, size, root)

    met = np.zeros(num, np.int32)  # kept candidates of its class that a candidate has met
    count = np.zeros(num_classes, np.int32)
    # The kept of class c begin at first[c].
    starts, ends = np.empty(num, np.float64), np.empty(num, np.float64)
    kept, kept_scores = np.empty(max_num, np.int64), np.empty(max_num, np.float64)
    found = 0
    while size > 0 and found < max_num:
        p = items[0]
        c = cls[p]
        i = order[p]
        base = first[c]
        start, end = np.float64(segments[i, 0]), np.float64(segments[i, 1])
        if met[p] == count[c]:
            kept[found], kept_scores[found] = i, keys[0]
            found += 1
            starts[base + count[c]], ends[base + count[c]] = start, end
            count[c] += 1
            size -= 1
            keys[0], items[0] = keys[size], items[size]
            _sift_down(keys, items, size, 0)
            continue
        score = keys[0]
        length = end - start + LENGTH_EPS
        k = base + met[p]
        stop = base + count[c]
        while k < stop:
            inter = min(end, ends[k]) - max(start, starts[k])
            k += 1
            if inter > 0:
                weight = _weight(inter, ends[k - 1] - starts[k - 1] + LENGTH_EPS, length, method,
                                 sigma, iou_threshold)
                score = score * weight if weight >= 0 else -1.0
                if score < min_score:
                    break
        met[p] = k - base
        if score < min_score or score < 0:
            size -= 1
            keys[0], items[0] = keys[size], items[size]
        else:
            keys[0] = score
        _sift_down(keys, items, size, 0)
    return kept[:found], kept_scores[:found]


@_compile
def direct_soft_nms(segments, scores, order, first, method, sigma, iou_threshold, min_score,
                    max_num):
    """Soft-NMS class by class, every candidate re-scored after every kept one.

    The published operator's order of work; faster than the heap when classes are small.
    Arguments and results as in :func:`lazy_soft_nms`.
    """
    num = scores.size
    kept, kept_scores = np.empty(num, np.int64), np.empty(num, np.float64)
    where = np.empty(num, np.int64)
    start, end = np.empty(num, np.float64), np.empty(num, np.float64)
    score = np.empty(num, np.float64)
    found = 0
    for c in range(first.size - 1):
        size = 0
        best = 0
        for p in range(first[c], first[c + 1]):
            i = order[p]
            where[size], score[size] = i, scores[i]
            start[size], end[size] = segments[i, 0], segments[i, 1]
            if score[size] > score[best]:
                best = size
            size += 1
        in_class = 0
        while size > 0 and in_class < max_num:
            kept[found], kept_scores[found] = where[best], score[best]
            found += 1
            in_class += 1
            s, e = start[best], end[best]
            length = e - s + LENGTH_EPS
            kept_at = best
            best = 0
            # Survivors move up in order, so that the first of equals stays the smallest index.
            left = 0
            for j in range(size):
                if j == kept_at:
                    continue
                value = score[j]
                inter = min(e, end[j]) - max(s, start[j])
                if inter > 0:
                    weight = _weight(inter, length, end[j] - start[j] + LENGTH_EPS, method, sigma,
                                     iou_threshold)
                    value = value * weight if weight >= 0 else -1.0
                if value < min_score or value < 0:
                    continue
                where[left], score[left], start[left], end[left] = where[j], value, start[j], end[j]
                if value > score[best]:
                    best = left
                left += 1
            size = left
    # Stable, so that equal scores stay in the order of (label, index).
    best_first = np.argsort(-kept_scores[:found], kind='mergesort')[:max_num]
    return kept[best_first], kept_scores[best_first]
