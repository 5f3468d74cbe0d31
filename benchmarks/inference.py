"""Inference of CLTDR-GMG over THUMOS14's test lengths, NMS included, against a plain model.

The plain model (``plain.py``) has the published architecture, and a soft-NMS of NumPy loops. Ours
is by default the paper's, which has fewer parameters; with ``--release`` it computes the same as
the plain one, and the detections are compared. A third row is our side in bfloat16 autocast.
Lengths come from THUMOS14's annotation file, features from a normal distribution, weights are
untrained: soft-NMS sees the most candidates there can be, their scores are close together. Times
are CPU times, video by video in turn, so that a busy machine slows all rows alike.
"""
import argparse
import time

import numpy as np
import torch
from against_plain import build_pair, describe
from inputs import DATA_SETS, make_batch
from nms import numpy_class, per_class

from cltdr_mm.evaluation.ground_truth import load_ground_truth

SIDES = ('plain', 'ours', 'ours, bfloat16')
THUMOS = DATA_SETS['thumos14']


def numpy_soft_nms(segments, scores, labels, min_score, max_num):
    """Soft-NMS as a loop over kept segments, one class after the other."""
    kept, values = per_class(segments.float(), scores, labels, numpy_class)
    return torch.from_numpy(kept[:max_num]), torch.from_numpy(values[:max_num])


def read_lengths(ann_file: str) -> list[int]:
    """Grid steps of every test video."""
    durations = load_ground_truth(ann_file, 'Test').durations
    return [max(1, int((d * THUMOS.fps - THUMOS.window) / THUMOS.stride) + 1) for d in durations]


@torch.no_grad()
def detect(models: tuple, side: str, batch: dict) -> tuple:
    """CPU seconds and the detections."""
    plain, ours = models
    begin = time.process_time()
    if side == 'plain':
        found, = plain.predict(batch['inputs'], batch['data_samples'], numpy_soft_nms)
    else:
        with torch.autocast('cpu', torch.bfloat16, enabled='bfloat16' in side):
            sample, = ours(**ours.data_preprocessor(dict(batch), False), mode='predict')
        found = sample.pred_instances
    return time.process_time() - begin, found


def main() -> None:
    """Print times and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('ann_file', help="THUMOS14's annotations, as the converter writes them")
    parser.add_argument('--release', action='store_true',
                        help='compute the same on both sides, instead of the paper on ours')
    parser.add_argument('--every', type=int, default=1, help='take every n-th video only')
    args = parser.parse_args()
    models = build_pair(args.release, 20)
    for model in models:
        model.eval()
    channels = models[1].backbone.in_channels
    lengths = sorted(read_lengths(args.ann_file))[::args.every]
    print(f'{len(lengths)} videos, {np.mean(lengths):.0f} steps on average, '
          f'{torch.get_num_threads()} threads')
    print(describe(*models, args.release))
    seconds, worst = dict.fromkeys(SIDES, 0.), 0.
    for index, steps in enumerate([lengths[0], *lengths]):  # the first one compiles and allocates
        video = dict(steps=steps, segments=[], labels=[])
        batch = make_batch(THUMOS, [video], channels, index)
        found = {}
        for side in SIDES:
            spent, found[side] = detect(models, side, batch)
            seconds[side] += spent if index else 0.
        if args.release:
            if len(found['ours']) != len(found['plain']):
                raise SystemExit(f'{steps} steps: {len(found["ours"])} detections, the plain '
                                 f'model has {len(found["plain"])}')
            worst = max(worst, float((found['ours'].scores - found['plain'].scores).abs().max()))
    for side, spent in seconds.items():
        print(f'{side:>14}: {1000 * spent / len(lengths):6.0f} ms of CPU time a video, '
              f'ratio {seconds["plain"] / spent:.2f}')
    if args.release:
        print(f'largest difference of detection scores, float32: {worst:.1e}')


if __name__ == '__main__':
    main()
