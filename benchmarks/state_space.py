"""The selective scan against a plain loop, and ActionMamba's training step against ActionFormer's.

The loop is what one would write first under autograd: all factors at once, the steps unbound once,
one product for the outputs. Kept memory is that of the tensors saved for the backward pass.
Training steps (forward, losses, backward) are of the configs for THUMOS14 with I3D features, on two
videos of typical lengths; features are drawn, weights untrained, no path is dropped. CPU times,
sides in turn.
"""
import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from inputs import DATA_SETS, draw_video, make_batch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from torch import Tensor

from cltdr_mm.models.layers import selective_scan
from cltdr_mm.structures import Layout

CONFIGS = Path(__file__).resolve().parents[1] / 'configs'
THUMOS = DATA_SETS['thumos14']


def loop(u: Tensor, dt: Tensor, a: Tensor, b: Tensor, c: Tensor, layout: Layout) -> Tensor:
    """The scan of one sequence in one direction, step by step; see :func:`selective_scan`."""
    u, dt, b, c = (x[layout.valid_rows, 0] for x in (u, dt, b, c))
    factors = (dt[..., None] * a[0]).exp()  # (T, E, N)
    inputs = (dt * u)[..., None] * b[:, None]
    state, states = torch.zeros_like(a[0]), []
    for factor, step in zip(factors.unbind(), inputs.unbind()):
        state = torch.addcmul(step, factor, state)
        states.append(state)
    return layout.place((torch.stack(states) @ c[..., None])[..., 0])[:, None]


def scan_inputs(layout: Layout, channels: int, states: int, seed: int) -> list[Tensor]:
    """Inputs as a layer makes them: step sizes from 0.001 to 0.1, rates from 1 to N."""
    g = torch.Generator().manual_seed(seed)
    size = layout.num_rows, 1
    sizes = torch.exp(torch.empty(*size, channels).uniform_(-6.9, -2.3, generator=g))
    rates = -torch.arange(1., states + 1).repeat(1, channels, 1)
    args = (torch.randn(*size, channels, generator=g), sizes, rates,
            torch.randn(*size, states, generator=g), torch.randn(*size, states, generator=g))
    return [x.requires_grad_() for x in args]


def times(scan: Callable, args: list[Tensor], layout: Layout) -> tuple[float, float]:
    """CPU seconds forward, and forward and backward."""
    begin = time.process_time()
    out = scan(*args, layout)
    forward = time.process_time() - begin
    torch.autograd.grad(out.sum(), args)
    return forward, time.process_time() - begin


def kept_megabytes(scan: Callable, args: list[Tensor], layout: Layout) -> float:
    """Size of what is saved for the backward pass, each storage once."""
    kept: dict[int, Tensor] = {}

    def note(x: Tensor) -> Tensor:
        kept[x.untyped_storage().data_ptr()] = x
        return x

    with torch.autograd.graph.saved_tensors_hooks(note, lambda x: x):
        out = scan(*args, layout)
    size = sum(x.untyped_storage().nbytes() for x in kept.values()) / 1e6
    del out
    return size


def compare_scans(args: argparse.Namespace) -> None:
    """Print the rows of the scan."""
    layout = Layout([args.steps])
    tensors = scan_inputs(layout, args.channels, args.states, args.seed)
    sides = dict(loop=loop, ours=selective_scan)
    found: dict[str, list] = {name: [] for name in sides}
    for round_number in range(args.rounds + 1):
        for name, scan in sides.items():
            spent = times(scan, tensors, layout)
            if round_number:  # the first one allocates
                found[name].append(spent)
    medians = {name: [statistics.median(column) for column in zip(*rows)]
               for name, rows in found.items()}
    with torch.no_grad():
        expected = loop(*(x.double() for x in tensors), layout)
        error = (selective_scan(*tensors, layout) - expected).abs().max() / expected.abs().max()
    print(f'scan, {args.steps} steps, {args.channels} channels, {args.states} states, float32')
    print('| scan | forward, s | forward and backward, s | kept for backward, MB |')
    print('|---|---|---|---|')
    for name, scan in sides.items():
        forward, both = medians[name]
        print(f'| {name} | {forward:.3f} | {both:.3f} | '
              f'{kept_megabytes(scan, tensors, layout):.1f} |')
    ratios = [slow / fast for slow, fast in zip(medians['loop'], medians['ours'])]
    print(f'ratio {ratios[0]:.1f} forward, {ratios[1]:.1f} forward and backward; difference from '
          f'float64 {float(error):.0e}')


def compare_steps(args: argparse.Namespace) -> None:
    """Print the training steps of the configs, and their ratios to the first one."""
    init_default_scope('mmaction')
    models = {}
    for name in args.configs:
        torch.manual_seed(args.seed)
        models[name] = MODELS.build(Config.fromfile(CONFIGS / f'{name}.py').model).train()
        for module in models[name].modules():
            if hasattr(module, 'drop_prob'):
                module.drop_prob = 0.
    spent: dict[str, list] = {name: [] for name in models}
    lengths = THUMOS.batches[args.batch]
    for round_number in range(args.rounds + 1):
        for name, model in models.items():
            videos = [draw_video(THUMOS, steps, model.head.num_classes, args.seed + index)
                      for index, steps in enumerate(lengths)]
            batch = make_batch(THUMOS, videos, model.backbone.in_channels, args.seed)
            model.zero_grad()
            begin = time.process_time()
            losses = model(**model.data_preprocessor(batch, training=True), mode='loss')
            sum(value for key, value in losses.items() if 'loss' in key).backward()
            if round_number:
                spent[name].append(time.process_time() - begin)
    first = statistics.median(spent[args.configs[0]])
    print(f'training step, videos of {lengths} steps')
    print(f'| config | step, s | times {args.configs[0]} |\n|---|---|---|')
    for name, values in spent.items():
        print(f'| {name} | {statistics.median(values):.2f} | '
              f'{statistics.median(values) / first:.2f} |')


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--steps', type=int, default=2304)
    parser.add_argument('--channels', type=int, default=1024)
    parser.add_argument('--states', type=int, default=16)
    parser.add_argument('--configs', nargs='*',
                        default=['actionformer_thumos', 'actionmamba_thumos'])
    parser.add_argument('--batch', type=int, default=0, help='which of the typical batches')
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--threads', type=int, default=1)
    parser.add_argument('--seed', type=int, default=0)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    print(f'torch {torch.__version__}, {torch.backends.cpu.get_cpu_capability()}, threads '
          f'{args.threads}, seed {args.seed}')
    compare_scans(args)
    if args.configs:
        compare_steps(args)


if __name__ == '__main__':
    main()
