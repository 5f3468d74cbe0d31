"""Training step of CLTDR-GMG on THUMOS14 against a plain model (``plain.py``).

The plain model has the published architecture. Ours is by default the paper's, which has fewer
parameters; with ``--release`` it computes the same as the plain one, and the losses are compared.
Lengths and actions come from THUMOS14's annotation file, features from a normal distribution. Times
are CPU times of steps taken in turn; each side's peak memory is that of its own process over the
same batches.
"""
import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

import torch
from against_plain import MAX_LEN, build_pair, describe
from inputs import DATA_SETS, make_batch

from cltdr_mm.evaluation.ground_truth import load_ground_truth
from cltdr_mm.structures import FeatureGrid

SIDES = ('plain', 'ours', 'ours, bfloat16')
THUMOS = DATA_SETS['thumos14']


def read_batches(ann_file: str, steps: int, num_classes: int, channels: int,
                 seed: int) -> list[dict]:
    """Batches of two training videos, cut to the longest training input."""
    truth = load_ground_truth(ann_file, 'Validation')
    grid = FeatureGrid(THUMOS.fps, THUMOS.stride, THUMOS.window, num_steps=MAX_LEN)
    g = torch.Generator().manual_seed(seed)
    batches = []
    for index, chosen in enumerate(torch.randint(len(truth.video_names), (steps, 2), generator=g)):
        videos = []
        for video in chosen.tolist():
            segments = grid.to_grid(truth.segments[truth.videos == video])
            length = min(MAX_LEN, int(grid.to_grid(float(truth.durations[video]))))
            segments = segments[segments.mean(1) < length].clip(0, length)
            labels = torch.randint(num_classes, (len(segments), ), generator=g)
            videos.append(dict(steps=length, segments=segments.tolist(), labels=labels.tolist()))
        batches.append(make_batch(THUMOS, videos, channels, seed + index))
    return batches


def step(models: tuple, side: str, batch: dict) -> tuple[float, float]:
    """Forward, loss, backward: CPU seconds and the loss."""
    plain, ours = models
    begin = time.process_time()
    if side == 'plain':
        plain.zero_grad()
        losses = plain.loss(batch['inputs'], batch['data_samples'])
    else:
        ours.zero_grad()
        with torch.autocast('cpu', torch.bfloat16, enabled='bfloat16' in side):
            losses = ours(**ours.data_preprocessor(dict(batch), training=True), mode='loss')
    loss = losses['loss_cls'] + losses['loss_reg']
    loss.backward()
    return time.process_time() - begin, float(loss.detach())


def peak_mib(side: str) -> float:
    """Most memory that the steps take in a process of their own, above what it starts from.

    There glibc gets a mapping of its own for every large tensor and returns it at once; else the
    peak is of its heap, which changing lengths fragment, not of the tensors.
    """
    command = [sys.executable, *sys.argv, '--memory-of', side]
    env = dict(os.environ, MALLOC_MMAP_THRESHOLD_='65536')
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=env)
    return float(done.stdout)


def max_rss_mib() -> float:
    """Peak resident memory of this process (Linux; getrusage would count its parent's)."""
    status = Path('/proc/self/status').read_text()
    return int(status.split('VmHWM:')[1].split()[0]) / 1024


def main() -> None:
    """Print times, memory, their ratios and, for equal models, the difference of the losses."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('ann_file', help="THUMOS14's annotations, as the converter writes them")
    parser.add_argument('--release', action='store_true',
                        help='compute the same on both sides, instead of the paper on ours')
    parser.add_argument('--steps', type=int, default=12, help='batches of two')
    parser.add_argument('--classes', type=int, default=20)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--memory-of', choices=SIDES, help=argparse.SUPPRESS)
    args = parser.parse_args()
    models = build_pair(args.release, args.classes)
    for model in models:
        model.train()
    batches = read_batches(args.ann_file, args.steps, args.classes,
                           models[1].backbone.in_channels, args.seed)
    if args.memory_of:
        before = max_rss_mib()
        for batch in batches:
            step(models, args.memory_of, batch)
        print(max_rss_mib() - before)
        return
    print(f'{args.steps} steps of 2 videos, {args.classes} classes, '
          f'{torch.get_num_threads()} threads, seed {args.seed}')
    print(describe(*models, args.release))
    seconds, difference = dict.fromkeys(SIDES, 0.), 0.
    for side in SIDES:  # the first step allocates
        step(models, side, batches[0])
    for batch in batches:
        losses = {}
        for side in SIDES:
            spent, losses[side] = step(models, side, batch)
            seconds[side] += spent
        difference = max(difference, abs(losses['ours'] / losses['plain'] - 1))
    memory = {side: peak_mib(side) for side in SIDES}
    for side in SIDES:
        print(f'{side:>14}: {seconds[side] / args.steps:.2f} s of CPU time a step, ratio '
              f'{seconds["plain"] / seconds[side]:.2f}; peak memory {memory[side]:.0f} MiB, '
              f'{memory[side] / memory["plain"]:.2f} of the plain one')
    if args.release:
        print(f'largest relative difference of the losses, float32: {difference:.1e}')


if __name__ == '__main__':
    main()
