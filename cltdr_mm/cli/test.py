"""Test a model: mAP, detections, pictures.

Without --work-dir the log goes to the folder of the training that wrote the checkpoint.

Examples::

    cltdr test cltdr_thumos work_dirs/cltdr_thumos
    cltdr test configs/mine.py best.pth --out results --show-dir pictures
"""
import argparse

from mmengine.config import Config

from ..apis.running.command_line import parse_running, read_config, run, running_arguments
from ..engine import runtime
from ..engine.work_dir import find_checkpoint, folder_of_training
from ..utils import exit_on_error, out_file, out_folder
from . import verb_parser


def parse_args(argv=None) -> argparse.Namespace:
    """Read the command line.

    Returns:
        argparse.Namespace: Its arguments.
    """
    parser = running_arguments(verb_parser(__doc__))
    parser.add_argument('checkpoint', help='checkpoint file or URL, or the folder of a training, '
                        'which stands for its latest checkpoint')
    parser.add_argument('--out', type=out_folder, help="folder for detections.json (ActivityNet's "
                        'result layout) and metrics.json')
    parser.add_argument('--dump', type=out_file, help='write all data samples to this pickle file')
    parser.add_argument('--show-dir', type=out_folder,
                        help='draw timelines of ground truth and detections here')
    parser.add_argument('--interval', type=int, default=1,
                        help='with --show-dir: draw every how many videos (default: %(default)s)')
    args = parse_running(parser, argv)
    if args.dump is not None and not args.dump.endswith(('.pkl', '.pickle')):
        parser.error(f'--dump writes a pickle: {args.dump} should end in .pkl or .pickle')
    try:
        args.checkpoint = find_checkpoint(args.checkpoint)
    except FileNotFoundError as error:
        parser.error(str(error))
    return args


def load_config(args: argparse.Namespace) -> Config:
    """Read the config and apply the command line to it.

    Args:
        args (argparse.Namespace): From :func:`parse_args`.

    Returns:
        Config: What the Runner is built from.
    """
    cfg = read_config(args)
    if not cfg.get('test_dataloader'):
        raise ValueError(f'{args.config}: there is no test_dataloader: nothing is there to be '
                         'tested on')
    if args.work_dir is None:
        cfg.work_dir = folder_of_training(args.checkpoint) or cfg.work_dir
    runtime.drop_training(cfg)
    cfg.load_from = args.checkpoint
    cfg.resume = False
    if args.out is not None:
        runtime.set_result_dir(cfg, args.out)
    if args.dump is not None:
        runtime.test_metrics(cfg).append(dict(type='DumpResults', out_file_path=args.dump))
    if args.show_dir is not None:
        cfg.default_hooks.visualization = dict(
            type='TALVisualizationHook', out_dir=args.show_dir, interval=args.interval,
            max_samples=None)
    return cfg


def main(argv=None) -> None:
    """Test."""
    with exit_on_error((Exception, )):  # all is of the command line or the config
        args = parse_args(argv)
        cfg = load_config(args)
    run(cfg, 'test', args.launcher, args.verbose)
