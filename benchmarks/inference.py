"""Inference of CLTDR-GMG over THUMOS14's test lengths, NMS included.

One video at a time, against the reference of ``as_published.py`` with a soft-NMS of NumPy loops; a
third row is our side in bfloat16 autocast. Lengths come from THUMOS14's annotation file, features
from a normal distribution, weights are untrained: soft-NMS sees the most candidates there can be,
their scores are close together. Times are CPU times, video by video in turn, so that a busy machine
slows all rows alike.
"""
import argparse
import time

import numpy as np
import torch
from as_published import MAX_LEN, build
from mmaction.structures import ActionDataSample
from nms import numpy_class, per_class

from cltdr_mm.evaluation.ground_truth import load_ground_truth
from cltdr_mm.structures import FeatureGrid

FPS, STRIDE, WINDOW = 30., 4, 16


class NumpySoftNMS:
    """Soft-NMS as a loop over kept segments, one class after the other."""

    def __call__(self, segments, scores, labels, min_score, max_num):
        """See :class:`cltdr_mm.postprocessing.SoftNMS`."""
        kept, values = per_class(segments.float(), scores, labels, numpy_class)
        return torch.from_numpy(kept[:max_num]), torch.from_numpy(values[:max_num])


def read_lengths(ann_file: str) -> list[tuple[int, float]]:
    """Grid steps and duration (s) of every test video."""
    durations = load_ground_truth(ann_file, 'Test').durations
    return [(max(1, int((d * FPS - WINDOW) / STRIDE) + 1), float(d)) for d in durations]


def make_batch(steps: int, duration: float, channels: int, seed: int) -> dict:
    """Features and data sample of one video."""
    g = torch.Generator().manual_seed(seed)
    grid = FeatureGrid(fps=FPS, stride=STRIDE, window=WINDOW, num_steps=steps)
    sample = ActionDataSample(metainfo=dict(video_name=str(seed), duration=duration, grid=grid))
    return dict(inputs=[torch.randn(channels, steps, generator=g)], data_samples=[sample])


@torch.no_grad()
def detect(model: torch.nn.Module, batch: dict, amp: bool = False) -> tuple:
    """CPU seconds and the detections."""
    begin = time.process_time()
    with torch.autocast('cpu', torch.bfloat16, enabled=amp):
        sample, = model(**model.data_preprocessor(batch), mode='predict')
    return time.process_time() - begin, sample.pred_instances


def main() -> None:
    """Print times and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('ann_file', help="THUMOS14's annotations, as the converter writes them")
    parser.add_argument('--every', type=int, default=1, help='take every n-th video only')
    args = parser.parse_args()
    ours, reference = build(False, 20).eval(), build(True, 20).eval()
    reference.postprocessor.nms = NumpySoftNMS()
    channels = ours.backbone.in_channels
    videos = sorted(read_lengths(args.ann_file))[::args.every]
    for model, amp in ((ours, False), (ours, True), (reference, False)):  # compiles, allocates
        detect(model, make_batch(*videos[0], channels, 0), amp)
    seconds = dict.fromkeys(('reference', 'ours', 'ours, bfloat16'), 0.)
    worst = 0.
    for index, (steps, duration) in enumerate(videos):
        batch = make_batch(steps, duration, channels, index)
        spent, expected = detect(reference, batch)
        seconds['reference'] += spent
        spent, found = detect(ours, batch)
        seconds['ours'] += spent
        seconds['ours, bfloat16'] += detect(ours, batch, amp=True)[0]
        if len(found) != len(expected):
            raise SystemExit(f'{steps} steps: {len(found)} detections, the reference has '
                             f'{len(expected)}')
        worst = max(worst, float((found.scores - expected.scores).abs().max()))
    steps = np.array([steps for steps, _ in videos])
    print(f'{len(videos)} videos, {steps.mean():.0f} steps on average, {MAX_LEN} padded to, '
          f'{torch.get_num_threads()} threads')
    for name, spent in seconds.items():
        print(f'{name:>15}: {1000 * spent / len(videos):6.0f} ms of CPU time a video, '
              f'ratio {seconds["reference"] / spent:.2f}')
    print(f'largest difference of detection scores, float32: {worst:.1e}')


if __name__ == '__main__':
    main()
