#!/usr/bin/env python
"""Train a model: ``python tools/train.py configs/cltdr_thumos.py``."""
import argparse
import os

from mmaction.registry import RUNNERS
from mmengine.config import Config, DictAction
from mmengine.runner import Runner

from cltdr_mm.datasets import TALDataError
from cltdr_mm.engine import runtime


def parse_args() -> argparse.Namespace:
    """Read the command line.

    Returns:
        argparse.Namespace: Its arguments.
    """
    parser = argparse.ArgumentParser(description='Train a temporal action localization model')
    parser.add_argument('config', help='config file')
    parser.add_argument('--work-dir', help='folder of logs and checkpoints '
                        '(default: the one in the config, else work_dirs/<name of the config>)')
    parser.add_argument('--resume', nargs='?', const='auto', help='continue from this checkpoint; '
                        'without a value from the latest one in the work directory')
    parser.add_argument('--amp', action='store_true',
                        help='mixed precision: bfloat16 on CPU and on GPUs that have it')
    parser.add_argument('--no-validate', action='store_true',
                        help='do not evaluate during training')
    parser.add_argument('--auto-scale-lr', action='store_true', help='scale the learning rate with '
                        'the batch size over all ranks, from auto_scale_lr.base_batch_size')
    parser.add_argument('--seed', type=int, help='random seed (default: the one in the config)')
    parser.add_argument('--diff-rank-seed', action='store_true',
                        help='initialise with another seed on every rank')
    parser.add_argument('--deterministic', action='store_true',
                        help='use deterministic algorithms only')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, help='changes to the config '
                        'as key=value; lists as key="[a,b]", without blanks')
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none',
                        help='how the ranks of a distributed job were started')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0,
                        help='set by the launcher')
    args = parser.parse_args()
    if not os.path.isfile(args.config):
        parser.error(f'there is no config {args.config}')
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return args


def load_config(args: argparse.Namespace) -> Config:
    """Read the config and apply the command line to it.

    Args:
        args (argparse.Namespace): From :func:`parse_args`.

    Returns:
        Config: What the Runner is built from.
    """
    cfg = Config.fromfile(args.config)
    if args.cfg_options is not None:
        cfg.merge_from_dict(args.cfg_options)
    runtime.set_work_dir(cfg, args.config, args.work_dir)
    runtime.set_resume(cfg, args.resume)
    runtime.set_randomness(cfg, args.seed, args.diff_rank_seed, args.deterministic)
    if args.no_validate:
        runtime.drop_validation(cfg)
    if args.amp:
        runtime.set_amp(cfg)
    if args.auto_scale_lr:
        cfg.auto_scale_lr.enable = True
    runtime.set_launcher(cfg, args.launcher)
    return cfg


def main() -> None:
    """Train; wrong data ends the program with a message that says what to mend."""
    cfg = load_config(parse_args())
    runner = RUNNERS.build(cfg) if 'runner_type' in cfg else Runner.from_cfg(cfg)
    try:
        runner.train()
    except TALDataError as error:
        raise SystemExit(f'error: {error}') from None


if __name__ == '__main__':
    main()
