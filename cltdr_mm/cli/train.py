"""Train a model.

Examples::

    cltdr train cltdr_thumos
    cltdr train configs/mine.py --work-dir work_dirs/mine --amp
    cltdr train configs/mine.py --resume
"""
import argparse

from mmengine.config import Config

from ..apis.running.command_line import parse_running, read_config, run, running_arguments
from ..engine import machine, runtime
from ..utils import exit_on_error
from . import verb_parser


def parse_args(argv=None) -> argparse.Namespace:
    """Read the command line.

    Returns:
        argparse.Namespace: Its arguments.
    """
    parser = running_arguments(verb_parser(__doc__))
    parser.add_argument('--resume', nargs='?', const='auto', help='continue from this checkpoint; '
                        'without a value from the latest one in the work directory')
    parser.add_argument('--amp', action='store_true',
                        help='mixed precision: bfloat16 on CPU and on GPUs that have it')
    parser.add_argument('--no-validate', action='store_true',
                        help='do not evaluate during training')
    parser.add_argument('--tensorboard', action='store_true',
                        help='write for TensorBoard too: tensorboard --logdir WORK_DIR')
    parser.add_argument('--timelines', action='store_true', help='draw eight videos in each '
                        'validation, into vis_data/vis_image and TensorBoard')
    parser.add_argument('--auto-scale-lr', action='store_true', help='scale the learning rate with '
                        'the batch size over all ranks, from auto_scale_lr.base_batch_size')
    parser.add_argument('--seed', type=int, help='random seed (default: the one in the config)')
    parser.add_argument('--diff-rank-seed', action='store_true',
                        help='initialise with another seed on every rank')
    parser.add_argument('--deterministic', action='store_true',
                        help='use deterministic algorithms only')
    return parse_running(parser, argv)


def load_config(args: argparse.Namespace) -> Config:
    """Read the config and apply the command line to it.

    Args:
        args (argparse.Namespace): From :func:`parse_args`.

    Returns:
        Config: What the Runner is built from.
    """
    cfg = read_config(args)
    runtime.set_resume(cfg, args.resume)
    machine.set_randomness(cfg, args.seed, args.diff_rank_seed, args.deterministic)
    if args.no_validate:
        runtime.drop_validation(cfg)
    if args.amp:
        machine.set_amp(cfg)
    runtime.set_watching(cfg, args.tensorboard, args.timelines)
    if args.auto_scale_lr:
        machine.set_auto_scale_lr(cfg)
    return cfg


def main(argv=None) -> None:
    """Train."""
    with exit_on_error((Exception, )):  # all is of the command line or the config
        args = parse_args(argv)
        cfg = load_config(args)
    run(cfg, 'train', args.launcher, args.verbose)
