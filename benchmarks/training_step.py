"""Training step of CLTDR-GMG on THUMOS14: own length and decoding at positives, against neither.

Both sides (``as_published.py``) have the same weights and see the same batches, features drawn from
a normal distribution; losses are compared. Lengths and actions come from THUMOS14's annotation
file. Times are CPU times of steps taken in turn; each side's peak memory is that of its own process
over the same batches.
"""
import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

import torch
from as_published import CONFIG, MAX_LEN, build
from mmaction.structures import ActionDataSample
from mmengine.config import Config
from mmengine.structures import InstanceData

from cltdr_mm.evaluation.ground_truth import load_ground_truth
from cltdr_mm.structures import FeatureGrid

SIDES = ('reference', 'ours')


def read_batches(ann_file: str, steps: int, num_classes: int, channels: int,
                 seed: int) -> list[dict]:
    """Batches of two training videos, cut to the longest training input."""
    truth = load_ground_truth(ann_file, 'Validation')
    g = torch.Generator().manual_seed(seed)
    batches = []
    for chosen in torch.randint(len(truth.video_names), (steps, 2), generator=g):
        inputs, samples = [], []
        for video in chosen.tolist():
            grid = FeatureGrid(fps=30., stride=4, window=16, num_steps=MAX_LEN)
            mine = truth.videos == video
            segments = grid.to_grid(torch.from_numpy(truth.segments[mine]))
            length = min(MAX_LEN, int(grid.to_grid(float(truth.durations[video]))))
            inside = segments.mean(1) < length
            labels = torch.randint(num_classes, (int(inside.sum()), ), generator=g)
            sample = ActionDataSample(metainfo=dict(grid=grid))
            sample.gt_instances = InstanceData(
                segments=segments[inside].clamp(0, length).float(), labels=labels)
            inputs.append(torch.randn(channels, length, generator=g))
            samples.append(sample)
        batches.append(dict(inputs=inputs, data_samples=samples))
    return batches


def step(model: torch.nn.Module, batch: dict) -> tuple[float, float]:
    """Forward, loss, backward: CPU seconds and the loss."""
    begin = time.process_time()
    model.zero_grad()
    losses = model(**model.data_preprocessor(batch, training=True), mode='loss')
    loss = losses['loss_cls'] + losses['loss_reg']
    loss.backward()
    return time.process_time() - begin, float(loss.detach())


def peak_mib(side: str, args: argparse.Namespace) -> float:
    """Most memory that the steps take in a process of their own, above what it starts from.

    There glibc gets a mapping of its own for every large tensor and returns it at once; else the
    peak is of its heap, which the changing lengths of our side fragment, not of the tensors.
    """
    command = [sys.executable, __file__, args.ann_file, '--steps', str(args.steps), '--classes',
               str(args.classes), '--seed', str(args.seed), '--memory-of', side]
    env = dict(os.environ, MALLOC_MMAP_THRESHOLD_='65536')
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=env)
    return float(done.stdout)


def max_rss_mib() -> float:
    """Peak resident memory of this process (Linux; getrusage would count its parent's)."""
    status = Path('/proc/self/status').read_text()
    return int(status.split('VmHWM:')[1].split()[0]) / 1024


def main() -> None:
    """Print times, memory, their ratios and the largest difference of the losses."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('ann_file', help="THUMOS14's annotations, as the converter writes them")
    parser.add_argument('--steps', type=int, default=12, help='batches of two')
    parser.add_argument('--classes', type=int, default=20)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--memory-of', choices=SIDES, help=argparse.SUPPRESS)
    args = parser.parse_args()
    channels = Config.fromfile(CONFIG).model.backbone.in_channels
    batches = read_batches(args.ann_file, args.steps, args.classes, channels, args.seed)
    if args.memory_of:
        model = build(args.memory_of == 'reference', args.classes).train()
        before = max_rss_mib()
        for batch in batches:
            step(model, batch)
        print(max_rss_mib() - before)
        return
    models = {side: build(side == 'reference', args.classes).train() for side in SIDES}
    for model in models.values():  # the first step allocates
        normalizer = {k: v.clone() for k, v in model.head.normalizer.state_dict().items()}
        step(model, batches[0])
        model.head.normalizer.load_state_dict(normalizer)
    seconds, difference = dict.fromkeys(SIDES, 0.), 0.
    for batch in batches:
        losses = []
        for side, model in models.items():
            spent, loss = step(model, batch)
            seconds[side] += spent
            losses.append(loss)
        difference = max(difference, abs(losses[0] - losses[1]) / abs(losses[0]))
    memory = {side: peak_mib(side, args) for side in SIDES}
    print(f'{args.steps} steps of 2 videos, {args.classes} classes, '
          f'{torch.get_num_threads()} threads, seed {args.seed}')
    print('CPU seconds a step: ' + ', '.join(
        f'{side} {seconds[side] / args.steps:.2f}' for side in SIDES)
        + f', ratio {seconds["reference"] / seconds["ours"]:.2f}')
    print('peak memory, MiB: ' + ', '.join(f'{side} {memory[side]:.0f}' for side in SIDES)
          + f', ratio {memory["ours"] / memory["reference"]:.2f}')
    print(f'largest relative difference of the losses {difference:.1e}')


if __name__ == '__main__':
    main()
