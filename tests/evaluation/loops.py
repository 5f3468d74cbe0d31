"""Slow references in float64, written from the definitions, sharing nothing with the package."""
import numpy as np


def iou(a, b):
    """Temporal IoU of two pairs of floats."""
    inter = max(0., min(a[1], b[1]) - max(a[0], b[0]))
    union = (a[1] - a[0]) + (b[1] - b[0]) - inter
    return inter / union if union > 0 else 0.


def rows(detections, label):
    """(video, segment, score) of one class, best first; of equals the one given first."""
    found = [(int(v), tuple(s), float(p)) for s, p, c, v in zip(
        detections.segments, detections.scores, detections.labels, detections.videos) if c == label]
    return sorted(found, key=lambda r: -r[2])


def instances(ground_truth, label):
    """{video: [(number, segment)]} of one class."""
    table = {}
    for i, (s, c, v) in enumerate(
            zip(ground_truth.segments, ground_truth.labels, ground_truth.videos)):
        if c == label:
            table.setdefault(int(v), []).append((i, tuple(s)))
    return table


def claims(detections, ground_truth, label, tiou):
    """For each detection of a class, best first: the instance it claims, or None."""
    table, taken, result = instances(ground_truth, label), set(), []
    for video, segment, _ in rows(detections, label):
        best = None
        for number, other in table.get(video, []):
            overlap = iou(segment, other)
            # of equal overlaps, the one annotated last
            if overlap >= tiou and number not in taken and (best is None or overlap >= best[0]):
                best = (overlap, number)
        if best is not None:
            taken.add(best[1])
        result.append(None if best is None else best[1])
    return result


def average_precision(detections, ground_truth, label, tiou):
    """Interpolated AP of one class; NaN without instances."""
    total = sum(len(x) for x in instances(ground_truth, label).values())
    if total == 0:
        return float('nan')
    points, hits = [], 0
    for n, claim in enumerate(claims(detections, ground_truth, label, tiou), 1):
        hits += claim is not None
        points.append((hits / total, hits / n))
    area, last = 0., 0.
    for i, (recall, _) in enumerate(points):
        area += (recall - last) * max(p for _, p in points[i:])
        last = recall
    return area


def recall(detections, ground_truth, label, tiou, k):
    """Recall of the k * n best detections per video and class."""
    found = total = 0
    ranked = rows(detections, label)
    for video, objects in instances(ground_truth, label).items():
        mine = [s for v, s, _ in ranked if v == video][:k * len(objects)]
        total += len(objects)
        found += sum(any(iou(s, o) >= tiou for s in mine) for _, o in objects)
    return found / total if total else float('nan')


def kind(detections, ground_truth, label, tiou):
    """For each detection of a class, best first: its kind by the words of the definition."""
    result = []
    claimed = claims(detections, ground_truth, label, tiou)
    for (video, segment, _), claim in zip(rows(detections, label), claimed):
        same = other = 0.
        for s, c, v in zip(ground_truth.segments, ground_truth.labels, ground_truth.videos):
            if v == video and c == label:
                same = max(same, iou(segment, s))
            elif v == video:
                other = max(other, iou(segment, s))
        if claim is not None:
            result.append('true positive')
        elif same >= tiou:
            result.append('double detection')
        elif other >= tiou:
            result.append('wrong label')
        elif same >= 0.1:
            result.append('localization')
        elif other >= 0.1:
            result.append('confusion')
        else:
            result.append('background')
    return result


def scene(seed, videos=5, classes=4, per_video=6, detections=300, kind='plain'):
    """Random ground truth and detections around it: (Detections, GroundTruth).

    The last class has no instances, the last video none of any class; two further videos with
    detections are not part of the subset.
    """
    from cltdr_mm.evaluation import Detections, GroundTruth
    g = np.random.default_rng(seed)
    num = (videos - 1) * per_video
    starts = g.random(num) * 40
    segments = np.stack([starts, starts + 1 + g.random(num) * 10], axis=1)
    labels = g.integers(0, 1 if kind == 'one class' else classes - 1, num)
    owners = np.repeat(np.arange(videos - 1), per_video)
    source = g.integers(0, num, detections)
    found = segments[source] + g.normal(size=(detections, 2)) * 1.5
    found = np.sort(found, axis=1)
    scores = g.random(detections)
    if kind == 'ties':  # equal scores, equal overlaps, segments of length zero
        segments, found = np.round(segments / 4) * 4, np.round(found / 4) * 4
        segments[:, 1] = np.maximum(segments[:, 1], segments[:, 0] + 4)
        scores = np.round(scores * 5) / 5
    own = g.random(detections) < 0.7
    owner = np.where(own, owners[source], g.integers(0, videos + 2, detections))
    label = np.where(g.random(detections) < 0.7, labels[source], g.integers(0, classes, detections))
    if kind == 'empty':
        found, scores, owner, label = found[:0], scores[:0], owner[:0], label[:0]
    truth = GroundTruth(
        classes=tuple(f'class {i}' for i in range(classes)),
        video_names=tuple(f'video {i}' for i in range(videos)), segments=segments, labels=labels,
        videos=owners, durations=np.full(videos, 60.))
    return Detections(found, scores, label.astype(np.int64), owner.astype(np.int64)), truth
