"""Evaluator: CPU time of all APs against a plain loop per class and tIoU.

By default at ActivityNet-1.3's size: 4,728 videos with 200 detections each, 200 classes, 10 tIoU
thresholds. The loop is the way the published evaluators go: for every class, its detections by
descending score, for each detection and threshold the instances of its video by descending tIoU.
It runs over all classes unless told otherwise (``--loop-classes``), and the APs are compared.
"""
import argparse
import time

import numpy as np

from cltdr_mm.evaluation import Detections, GroundTruth
from cltdr_mm.evaluation.functional import average_precision
from cltdr_mm.evaluation.protocols import tiou_range


def make(num_videos: int, per_video: int, num_classes: int, seed: int = 0):
    """Videos of one main class with 1 to 4 instances; detections of two classes each."""
    g = np.random.default_rng(seed)
    main = g.integers(0, num_classes, num_videos)
    counts = g.integers(1, 5, num_videos)
    videos = np.repeat(np.arange(num_videos), counts)
    starts = g.random(len(videos)) * 80
    segments = np.stack([starts, starts + 5 + g.random(len(videos)) * 40], axis=1)
    truth = GroundTruth(
        classes=tuple(map(str, range(num_classes))),
        video_names=tuple(map(str, range(num_videos))), segments=segments, labels=main[videos],
        videos=videos, durations=np.full(num_videos, 120.))
    owner = np.repeat(np.arange(num_videos), per_video)
    first = np.cumsum(counts) - counts
    source = first[owner] + (g.random(len(owner)) * counts[owner]).astype(int)
    found = np.sort(segments[source] + g.normal(size=(len(owner), 2)) * 8, axis=1)
    second = g.integers(0, num_classes, num_videos)
    labels = np.where(g.random(len(owner)) < 0.5, main[owner], second[owner])
    return Detections(found, g.random(len(owner)), labels, owner), truth


def loop_ap(detections, truth, label, tiou) -> float:
    """AP of one class at one threshold, detection by detection."""
    mine = np.flatnonzero(detections.labels == label)
    mine = mine[detections.scores[mine].argsort()[::-1]]
    of_class = np.flatnonzero(truth.labels == label)
    by_video: dict = {}
    for i in of_class:
        by_video.setdefault(truth.videos[i], []).append(i)
    by_video = {v: np.array(i) for v, i in by_video.items()}
    if not len(of_class):
        return float('nan')
    taken, hits = set(), np.zeros(len(mine))
    for n, d in enumerate(mine):
        others = by_video.get(detections.videos[d])
        if others is None:
            continue
        start, end = detections.segments[d]
        starts, ends = truth.segments[others, 0], truth.segments[others, 1]
        inter = np.maximum(np.minimum(ends, end) - np.maximum(starts, start), 0)
        iou = inter / ((ends - starts) + (end - start) - inter)
        for j in iou.argsort()[::-1]:
            if iou[j] < tiou:
                break
            if others[j] not in taken:
                taken.add(others[j])
                hits[n] = 1
                break
    precision = hits.cumsum() / np.arange(1, len(mine) + 1)
    recall = hits.cumsum() / len(of_class)
    precision = np.hstack([[0], precision, [0]])
    recall = np.hstack([[0], recall, [1]])
    for i in range(len(precision) - 2, -1, -1):
        precision[i] = max(precision[i], precision[i + 1])
    steps = np.flatnonzero(recall[1:] != recall[:-1]) + 1
    return float(((recall[steps] - recall[steps - 1]) * precision[steps]).sum())


def main() -> None:
    """Print both times and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--videos', type=int, default=4728)
    parser.add_argument('--detections', type=int, default=200, help='per video')
    parser.add_argument('--classes', type=int, default=200)
    parser.add_argument(
        '--loop-classes', type=int,
        help='run the loop over so many classes only and scale its time up')
    args = parser.parse_args()
    tious = tiou_range(0.5, 0.95, 0.05)
    detections, truth = make(args.videos, args.detections, args.classes)
    times = []
    for _ in range(3):
        begin = time.process_time()
        found = average_precision(detections, truth, tious)
        times.append(time.process_time() - begin)
    ours = min(times)
    some = args.loop_classes or args.classes
    begin = time.process_time()
    expected = np.array([[loop_ap(detections, truth, c, t) for c in range(some)] for t in tious])
    loop = (time.process_time() - begin) * args.classes / some
    difference = float(np.nanmax(np.abs(found[:, :some] - expected)))
    print(f'{args.videos} videos x {args.detections} detections, {args.classes} classes, '
          f'{len(tious)} tIoU, mAP {100 * np.nanmean(found):.2f} %')
    scaled = '' if some == args.classes else f' (from {some} classes)'
    print(f'CPU time: loop {loop:.2f} s{scaled}, '
          f'ours {ours:.2f} s, ratio {loop / ours:.1f}, largest difference {difference:.1e}')


if __name__ == '__main__':
    main()
