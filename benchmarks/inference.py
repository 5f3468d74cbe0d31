"""Inference of CLTDR-GMG over THUMOS14's test lengths, NMS included.

Against the reference of ``as_published.py``, one video at a time with a soft-NMS of NumPy loops;
further columns are our side in bfloat16 autocast and in batches. Lengths come from THUMOS14's
annotation file, features from a normal distribution, weights are untrained: soft-NMS sees the most
candidates there can be, their scores are close together. Times are CPU times, video by video in
turn, so that a busy machine slows all columns alike.
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


def make_batch(videos: list[tuple[int, float]], channels: int, seed: int) -> dict:
    """Features and data samples of some videos."""
    g = torch.Generator().manual_seed(seed)
    samples = [ActionDataSample(metainfo=dict(
        video_name=str(i), duration=duration,
        grid=FeatureGrid(fps=FPS, stride=STRIDE, window=WINDOW, num_steps=steps)))
        for i, (steps, duration) in enumerate(videos)]
    return dict(inputs=[torch.randn(channels, steps, generator=g) for steps, _ in videos],
                data_samples=samples)


@torch.no_grad()
def detect(model: torch.nn.Module, batch: dict, amp: bool = False) -> tuple[float, list]:
    """CPU seconds and the detections of each video."""
    begin = time.process_time()
    with torch.autocast('cpu', torch.bfloat16, enabled=amp):
        samples = model(**model.data_preprocessor(batch), mode='predict')
    return time.process_time() - begin, [s.pred_instances for s in samples]


def main() -> None:
    """Print times and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('ann_file', help="THUMOS14's annotations, as the converter writes them")
    parser.add_argument('--every', type=int, default=1, help='take every n-th video only')
    parser.add_argument('--batch-size', type=int, default=4)
    args = parser.parse_args()
    ours, reference = build(False, 20).eval(), build(True, 20).eval()
    reference.postprocessor.nms = NumpySoftNMS()
    channels = ours.backbone.in_channels
    videos = sorted(read_lengths(args.ann_file))[::args.every]
    for model, amp in ((ours, False), (ours, True), (reference, False)):  # compiles, allocates
        detect(model, make_batch(videos[:1], channels, 0), amp)
    seconds = dict.fromkeys(('reference', 'ours', 'ours, bfloat16', 'ours, batched'), 0.)
    worst = 0.
    for first in range(0, len(videos), args.batch_size):
        group = videos[first:first + args.batch_size]
        for index, video in enumerate(group):
            batch = make_batch([video], channels, first + index)
            spent, (expected, ) = detect(reference, batch)
            seconds['reference'] += spent
            spent, (found, ) = detect(ours, batch)
            seconds['ours'] += spent
            seconds['ours, bfloat16'] += detect(ours, batch, amp=True)[0]
            count = min(len(found.scores), len(expected.scores))
            worst = max(worst, float((found.scores - expected.scores)[:count].abs().max()))
            if len(found.scores) != len(expected.scores):
                raise SystemExit(f'{video[0]} steps: {len(found.scores)} detections, the '
                                 f'reference has {len(expected.scores)}')
        seconds['ours, batched'] += detect(ours, make_batch(group, channels, first))[0]
    steps = np.array([steps for steps, _ in videos])
    print(f'{len(videos)} videos, {steps.mean():.0f} steps on average, {MAX_LEN} padded to, '
          f'{torch.get_num_threads()} threads, batches of {args.batch_size} by length')
    for name, spent in seconds.items():
        print(f'{name:>15}: {1000 * spent / len(videos):6.0f} ms of CPU time a video, '
              f'ratio {seconds["reference"] / spent:.2f}')
    print(f'largest difference of detection scores, float32: {worst:.1e}')


if __name__ == '__main__':
    main()
