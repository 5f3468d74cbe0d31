#!/usr/bin/env python
"""Test a model: ``python tools/test.py configs/cltdr_thumos.py work_dirs/cltdr_thumos``."""
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
    parser = argparse.ArgumentParser(description='Test a temporal action localization model')
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file or URL, or the folder of a training, '
                        'which stands for its latest checkpoint')
    parser.add_argument('--work-dir', help='folder of the log '
                        '(default: the one in the config, else work_dirs/<name of the config>)')
    parser.add_argument('--out', help="folder for detections.json (ActivityNet's result layout) "
                        'and metrics.json')
    parser.add_argument('--dump', help='write all data samples to this pickle file')
    parser.add_argument('--show-dir', help='draw timelines of ground truth and detections here')
    parser.add_argument('--interval', type=int, default=1,
                        help='with --show-dir: draw every how many videos (default: %(default)s)')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, help='changes to the config '
                        'as key=value; lists as key="[a,b]", without blanks')
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none',
                        help='how the ranks of a distributed job were started')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0,
                        help='set by the launcher')
    args = parser.parse_args()
    if not os.path.isfile(args.config):
        parser.error(f'there is no config {args.config}')
    if args.dump is not None and not args.dump.endswith(('.pkl', '.pickle')):
        parser.error(f'--dump writes a pickle: {args.dump} should end in .pkl or .pickle')
    try:
        args.checkpoint = runtime.find_checkpoint(args.checkpoint)
    except FileNotFoundError as error:
        parser.error(str(error))
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
    cfg.load_from = args.checkpoint
    cfg.resume = False
    runtime.set_work_dir(cfg, args.config, args.work_dir)
    if args.out is not None:
        runtime.set_result_dir(cfg, args.out)
    if args.dump is not None:
        runtime.test_metrics(cfg).append(dict(type='DumpResults', out_file_path=args.dump))
    if args.show_dir is not None:
        cfg.default_hooks.visualization = dict(
            type='TALVisualizationHook', out_dir=args.show_dir, interval=args.interval,
            max_samples=None)
    runtime.set_launcher(cfg, args.launcher)
    return cfg


def main() -> None:
    """Test; wrong data ends the program with a message that says what to mend."""
    cfg = load_config(parse_args())
    runner = RUNNERS.build(cfg) if 'runner_type' in cfg else Runner.from_cfg(cfg)
    try:
        runner.test()
    except TALDataError as error:
        raise SystemExit(f'error: {error}') from None


if __name__ == '__main__':
    main()
