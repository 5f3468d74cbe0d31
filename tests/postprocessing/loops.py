"""Slow references in float64, written from the definitions, sharing nothing with the package."""
import math

LENGTH_EPS = 1e-6


def iou(a, b, eps=0.):
    """Temporal IoU of two pairs of floats; `eps` is added to both lengths."""
    inter = max(0., min(a[1], b[1]) - max(a[0], b[0]))
    union = (a[1] - a[0] + eps) + (b[1] - b[0] + eps) - inter
    return inter / union if union > 0 else 0.


def nms(segments, scores, labels, method='gaussian', sigma=0.5, threshold=0.1, min_score=0.001,
        max_num=None):
    """(indices, scores) kept, best first: the published algorithm class by class."""
    max_num = len(scores) if max_num is None else max_num
    kept = []
    for label in sorted(set(labels)):
        current = {i: scores[i] for i in range(len(scores)) if labels[i] == label}
        number = 0
        while current and number < max_num:
            best = max(current, key=lambda i: (current[i], -i))
            kept.append((current.pop(best), label, best))
            number += 1
            for i in list(current):
                overlap = iou(segments[i], segments[best], LENGTH_EPS)
                if method == 'gaussian':
                    current[i] *= math.exp(-overlap**2 / sigma)
                elif overlap > 0 and overlap >= threshold:
                    current[i] = -1. if method == 'hard' else current[i] * (1 - overlap)
                if current[i] < min_score or current[i] < 0:
                    del current[i]
    kept.sort(key=lambda k: (-k[0], k[1], k[2]))
    return [k[2] for k in kept[:max_num]], [k[0] for k in kept[:max_num]]


def vote(kept, kept_labels, segments, scores, labels, threshold):
    """Segments moved to the weighted mean of their voters."""
    result = []
    for (segment, label) in zip(kept, kept_labels):
        total = start = end = 0.
        for other, score, other_label in zip(segments, scores, labels):
            overlap = iou(segment, other)
            if overlap >= threshold and label == other_label:
                weight = overlap * score
                total += weight
                start += weight * other[0]
                end += weight * other[1]
        result.append((start / total, end / total) if total > 0 else tuple(segment))
    return result
