"""Soft-NMS compiled by numba: only neighbours are re-scored, the best is found in a tree.

Candidates are laid out by class and, within a class, by start. What a kept candidate can overlap is
then one stretch of memory: from the first start that the longest segment of the class could bridge
up to the kept end. All scores in it are lowered at once by vector instructions. The next candidate
to keep is the best of all classes together; scores only ever fall, so it can be kept at once, and
work ends with the last one needed. Largest scores of blocks, and of blocks of blocks, find it.

Every kept candidate is applied to its neighbours as soon as it is kept, in the published operator's
order, so the scores are the published ones. Ties are broken by the smaller label, then by the
smaller index. Importing this module imports numba; :mod:`.soft_nms` does so on first use.
"""
import math

import numba
import numpy as np

HARD, LINEAR, GAUSSIAN, BSN = 0, 1, 2, 3
# Keeps two segments of length zero from dividing 0 by 0; the published operator adds the same.
LENGTH_EPS = 1e-6
BLOCK = 32
# From this width on the vectorised exponential below is exact to 1e-14.
SMALLEST_VECTOR_SIGMA = 0.125


def _compile(fastmath=False):
    """Decorator: compiled, with an on-disk cache where one can be written."""

    def compiled(function):
        options = dict(nogil=True, error_model='numpy', fastmath=fastmath)
        try:
            return numba.njit(cache=True, **options)(function)
        except RuntimeError:  # numba finds neither the package folder nor a user cache writable
            return numba.njit(**options)(function)

    return compiled


# Inputs are checked to be finite; without these two permissions LLVM makes no vector maximum.
_FINITE = {'nnan', 'nsz'}


@_compile(_FINITE)
def _largest(values):
    """Largest of some scores, -1 when there is none."""
    largest = -1.0
    for j in range(values.size):
        largest = max(largest, values[j])
    return largest


@_compile(_FINITE)
def _decay_gaussian(starts, ends, scores, start, end, sigma, min_score):
    """Multiply scores by ``exp(-iou^2 / sigma)`` in place; -1 marks what falls too low.

    The exponential of x in [-8, 0] is that of x / 32, a series of 12 terms, squared five times:
    unlike ``math.exp`` this needs no call, so the loop becomes vector instructions.
    """
    length = end - start + LENGTH_EPS
    scale = 1.0 / (32.0 * sigma)
    for j in range(starts.size):
        inter = max(min(ends[j], end) - max(starts[j], start), 0.0)
        iou = inter / (length + (ends[j] - starts[j] + LENGTH_EPS) - inter)
        x = -(iou * iou) * scale
        p = 1.0 / 479001600.0
        p = p * x + 1.0 / 39916800.0
        p = p * x + 1.0 / 3628800.0
        p = p * x + 1.0 / 362880.0
        p = p * x + 1.0 / 40320.0
        p = p * x + 1.0 / 5040.0
        p = p * x + 1.0 / 720.0
        p = p * x + 1.0 / 120.0
        p = p * x + 1.0 / 24.0
        p = p * x + 1.0 / 6.0
        p = p * x + 0.5
        p = p * x + 1.0
        p = p * x + 1.0
        p *= p
        p *= p
        p *= p
        p *= p
        p *= p
        value = scores[j] * p
        scores[j] = value if value >= min_score else -1.0


@_compile()
def _decay_narrow(starts, ends, scores, start, end, sigma, min_score):
    """As :func:`_decay_gaussian`, for any sigma."""
    length = end - start + LENGTH_EPS
    for j in range(starts.size):
        inter = max(min(ends[j], end) - max(starts[j], start), 0.0)
        iou = inter / (length + (ends[j] - starts[j] + LENGTH_EPS) - inter)
        value = scores[j] * math.exp(-(iou * iou) / sigma)
        scores[j] = value if value >= min_score else -1.0


@_compile()
def _decay_threshold(starts, ends, scores, start, end, iou_threshold, hard, min_score):
    """Multiply scores by ``1 - iou``, or drop (hard), from a threshold on; in place."""
    length = end - start + LENGTH_EPS
    for j in range(starts.size):
        inter = min(ends[j], end) - max(starts[j], start)
        value = scores[j]
        if inter > 0:
            iou = inter / (length + (ends[j] - starts[j] + LENGTH_EPS) - inter)
            if iou >= iou_threshold:
                value = -1.0 if hard else value * (1.0 - iou)
        scores[j] = value if value >= min_score else -1.0


@_compile()
def _decay_above(starts, ends, scores, start, end, sigma, low, high, min_score):
    """The Gaussian where the IoU exceeds ``low + (high - low) * (end - start)``; in place.

    In MMAction2's order of operations and with nothing added to lengths: an IoU beside the limit
    falls on the same side as there.
    """
    length = end - start
    limit = low + (high - low) * length
    for j in range(starts.size):
        inter = min(ends[j], end) - max(starts[j], start)
        value = scores[j]
        if inter > 0:
            iou = inter / (length - inter + ends[j] - starts[j])
            if iou > limit:
                value *= math.exp(-(iou * iou) / sigma)
        scores[j] = value if value >= min_score else -1.0


@_compile()
def _first_from(starts, low, high, bound):
    """First position in ``[low, high)`` whose start is at least ``bound``."""
    while low < high:
        middle = (low + high) // 2
        if starts[middle] < bound:
            low = middle + 1
        else:
            high = middle
    return low


@_compile()
def soft_nms_kernel(segments, scores, classes, num_classes, by_start, method, sigma,
                    iou_threshold, high_threshold, min_score, max_num):
    """Soft-NMS of all classes of one video.

    Args:
        segments (np.ndarray): (M, 2) float32 or float64; computed in float64.
        scores (np.ndarray): (M,), not negative.
        classes (np.ndarray): (M,) int64 in ``0 .. num_classes - 1``, ascending with the label.
        num_classes (int): K.
        by_start (np.ndarray): (M,) int64 positions of candidates by ascending start.
        method (int): HARD, LINEAR, GAUSSIAN or BSN.
        sigma (float): Width of the Gaussian.
        iou_threshold (float): From which IoU HARD and LINEAR act; of BSN the lower limit.
        high_threshold (float): Of BSN the limit beside a kept segment of length 1.
        min_score (float): Candidates that fall below are dropped, but for the best of a class.
        max_num (int): Stop after so many.

    Returns:
        tuple: kept (N,) int64 positions of candidates, their scores (N,) float64, best first.
    """
    num = scores.size
    first = np.zeros(num_classes + 1, np.int64)  # where each class begins
    for c in classes:
        first[c + 1] += 1
    for c in range(num_classes):
        first[c + 1] += first[c]
    place, best = first[:-1].copy(), np.full(num_classes, -1, np.int64)
    longest = np.zeros(num_classes, np.float64)
    starts, ends = np.empty(num, np.float64), np.empty(num, np.float64)
    current = np.empty(num, np.float64)
    index, cls = np.empty(num, np.int64), np.empty(num, np.int64)
    for i in by_start:
        c = classes[i]
        p = place[c]
        place[c] += 1
        starts[p], ends[p], current[p] = segments[i, 0], segments[i, 1], scores[i]
        index[p], cls[p] = i, c
        longest[c] = max(longest[c], ends[p] - starts[p])
        b = best[c]
        if b < 0 or current[p] > current[b] or (current[p] == current[b] and i < index[b]):
            best[c] = p
    for p in range(num):
        if current[p] < min_score and best[cls[p]] != p:
            current[p] = -1.0

    num_blocks = (num + BLOCK - 1) // BLOCK
    num_tops = (num_blocks + BLOCK - 1) // BLOCK
    blocks, tops = np.empty(num_blocks, np.float64), np.empty(num_tops, np.float64)
    for b in range(num_blocks):
        blocks[b] = _largest(current[b * BLOCK:(b + 1) * BLOCK])
    for t in range(num_tops):
        tops[t] = _largest(blocks[t * BLOCK:(t + 1) * BLOCK])

    max_num = min(max_num, num)
    kept, kept_scores = np.empty(max_num, np.int64), np.empty(max_num, np.float64)
    found = 0
    while found < max_num:
        score = _largest(tops)
        if score < 0:
            break
        p = -1
        for t in range(num_tops):
            if tops[t] != score:
                continue
            for b in range(t * BLOCK, min(num_blocks, (t + 1) * BLOCK)):
                if blocks[b] != score:
                    continue
                for q in range(b * BLOCK, min(num, (b + 1) * BLOCK)):
                    if current[q] == score and (p < 0 or cls[q] < cls[p] or
                                                (cls[q] == cls[p] and index[q] < index[p])):
                        p = q
        kept[found], kept_scores[found] = index[p], score
        found += 1
        current[p] = -1.0
        c, start, end = cls[p], starts[p], ends[p]
        low = _first_from(starts, first[c], p, start - longest[c])
        high = _first_from(starts, p + 1, first[c + 1], end)
        if method == BSN:
            _decay_above(starts[low:high], ends[low:high], current[low:high], start, end, sigma,
                         iou_threshold, high_threshold, min_score)
        elif method != GAUSSIAN:
            _decay_threshold(starts[low:high], ends[low:high], current[low:high], start, end,
                             iou_threshold, method == HARD, min_score)
        elif sigma >= SMALLEST_VECTOR_SIGMA:
            _decay_gaussian(starts[low:high], ends[low:high], current[low:high], start, end, sigma,
                            min_score)
        else:
            _decay_narrow(starts[low:high], ends[low:high], current[low:high], start, end, sigma,
                          min_score)
        first_block, last_block = low // BLOCK, (high - 1) // BLOCK
        for b in range(first_block, last_block + 1):
            blocks[b] = _largest(current[b * BLOCK:(b + 1) * BLOCK])
        for t in range(first_block // BLOCK, last_block // BLOCK + 1):
            tops[t] = _largest(blocks[t * BLOCK:(t + 1) * BLOCK])
    return kept[:found], kept_scores[:found]
