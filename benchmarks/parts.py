"""What the parts beside a head cost: a training step with them over one of the plain model.

    python benchmarks/parts.py

Every model of a config gets the same batches and, where the plain one has them, its weights; they
take their steps (forward, loss, backward) in turn, the order turned from round to round. A ratio is
a model's CPU time over the plain one's, of all batches of a round; printed is the median of the
rounds, and their range. The losses of classes and distances must be the plain model's.
"""
import argparse
import statistics
import time
from pathlib import Path

import torch
from inputs import DATA_SETS, draw_batches, draw_video, make_batch
from mmaction.registry import MODELS
from mmengine.config import Config
from torch import nn

import cltdr_mm  # noqa: F401  (registers the models)

CONFIGS = Path(__file__).resolve().parents[1] / 'configs'
REFINEMENT, QUALITY = dict(type='FineBoundaries'), dict(type='QualityBranch')
PLAIN = 'plain'
PARTS = {PLAIN: {}, 'FineBoundaries': dict(refinement=REFINEMENT),
         'QualityBranch': dict(quality=QUALITY),
         'both': dict(refinement=REFINEMENT, quality=QUALITY)}


def build(config: str, seed: int) -> dict[str, nn.Module]:
    """The models of a config, without the random parts of training.

    Args:
        config (str): Name of a config of ``configs/``, without ending.
        seed (int): Of the weights.

    Returns:
        dict[str, nn.Module]: By what stands beside the head; parts start from the plain weights.
    """
    models = {}
    for name, parts in PARTS.items():
        cfg = Config.fromfile(CONFIGS / f'{config}.py').model
        cfg.head.update(parts)
        torch.manual_seed(seed)
        model = models[name] = MODELS.build(cfg).train()
        if name != PLAIN:
            model.load_state_dict(models[PLAIN].state_dict(), strict=False)
        for module in model.modules():
            for option in ('drop_prob', 'input_noise'):
                if hasattr(module, option):
                    setattr(module, option, 0.)
        model.head.normalizer.momentum = 1.  # its number stays, so that losses compare
    return models


def step(model: nn.Module, batch: dict) -> tuple[float, dict]:
    """Forward, loss, backward: CPU seconds, and the losses that the plain model has."""
    begin = time.process_time()
    model.zero_grad()
    losses = model(**model.data_preprocessor(dict(batch), training=True), mode='loss')
    sum(value for name, value in losses.items() if 'loss' in name).backward()
    spent = time.process_time() - begin
    return spent, {name: float(losses[name].detach()) for name in ('loss_cls', 'loss_reg')}


def measure(models: dict[str, nn.Module], batches: list[dict], rounds: int) -> dict:
    """CPU seconds of every round and model, after one round that does not count.

    Raises:
        RuntimeError: If a part changes the losses of classes and distances.
    """
    seconds = {name: [0.] * rounds for name in models}
    order = list(models)
    for batch in batches:
        losses = {name: step(models[name], batch)[1] for name in order}
        for name, found in losses.items():
            if any(abs(found[key] / losses[PLAIN][key] - 1) > 1e-5 for key in found):
                raise RuntimeError(f'{name}: {found}, but the plain model has {losses[PLAIN]}')
    for number in range(rounds):
        order.append(order.pop(0))
        for batch in batches:
            for name in order:
                seconds[name][number] += step(models[name], batch)[0]
    return seconds


def main() -> None:
    """Print a table for each config."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('configs', nargs='*', default=['hapt/swaps/gmg_actionformer', 'cltdr_hapt'],
                        help='names in configs/ (default: %(default)s)')
    parser.add_argument('--lengths', choices=list(DATA_SETS), default='hapt',
                        help='data set whose lengths and actions to take (default: %(default)s)')
    parser.add_argument('--batches', type=int, default=3,
                        help='drawn from the deciles beside the named ones (default: %(default)s)')
    parser.add_argument('--rounds', type=int, default=9)
    parser.add_argument('--threads', type=int, default=1)
    parser.add_argument('--seed', type=int, default=0)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    data = DATA_SETS[args.lengths]
    lengths = [*data.batches, *draw_batches(data, args.batches, 2304, args.seed)]
    for config in args.configs:
        models = build(config, args.seed)
        plain = models[PLAIN]
        batches = [make_batch(data, [draw_video(data, steps, plain.head.num_classes, args.seed)
                                     for steps in batch], plain.backbone.in_channels, args.seed)
                   for batch in lengths]
        print(f'{config}: {len(batches)} batches, lengths and actions of {args.lengths}, '
              f'{args.rounds} rounds, {args.threads} threads, seed {args.seed}')
        seconds = measure(models, batches, args.rounds)
        for name, spent in seconds.items():
            ratios = [mine / base for mine, base in zip(spent, seconds[PLAIN])]
            print(f'{name:>15}: {statistics.median(spent) / len(batches):.3f} s of CPU time a '
                  f'step, ratio {statistics.median(ratios):.2f} ({min(ratios):.2f} to '
                  f'{max(ratios):.2f})')


if __name__ == '__main__':
    main()
