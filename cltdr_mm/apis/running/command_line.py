"""What training and testing have in common at the command line."""
import argparse
import os
from collections.abc import Sequence
from typing import Optional

import torch
import torch.distributed as dist
from mmaction.registry import RUNNERS
from mmengine.config import Config
from mmengine.hooks import Hook

from ...engine import folds, machine, runtime
from ...engine.hooks.screen import ScreenHook
from ...engine.screen import QuietRunner, TALRunner
from ...engine.work_dir import hold_work_dir, latest_checkpoint
from ...utils import TALDataError, exit_on_error, fold_file, out_folder
from .config_files import config_from_file, find_config
from .config_options import ConfigOption, change_config, check_keys
from .next_steps import after_test, after_training

#: What ends a run in one line once it works; anything else is a fault of the code, and keeps its
#: traceback. While the parts of a run are built, all errors are of the config or the data.
RUN_ERRORS = (TALDataError, OSError, FloatingPointError)


def running_arguments(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Add what every run takes: a config, changes to it, a launcher.

    Args:
        parser (argparse.ArgumentParser): Of a program; it will be read by :func:`parse_running`.

    Returns:
        argparse.ArgumentParser: The same.
    """
    parser.add_argument('config', help='config file, or the name of one of this library')
    parser.add_argument('--work-dir', type=out_folder, help='folder of logs and checkpoints '
                        '(default: the one in the config, else work_dirs/<name of the config>)')
    parser.add_argument('--cfg-options', nargs='+', action=ConfigOption, help='changes to the '
                        'config as key=value; lists as key="[a,b]", without blanks')
    parser.add_argument('--fold', type=int, metavar='N', help='train and judge on fold N of the '
                        'training videos, annotations_foldN.json; a test video is never read')
    parser.add_argument('--verbose', action='store_true', help="print all that the log file gets, "
                        "as MMEngine does, in place of this program's own lines")
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none',
                        help='how the ranks of a distributed job were started')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0,
                        help='set by the launcher')
    return parser


def usable_device(name: str) -> str:
    """For ``type=`` of an argument: a device that torch has here."""
    try:
        torch.empty(0, device=name)
    except Exception as error:  # of as many kinds as there are devices
        why = str(error).splitlines()[0]
        raise argparse.ArgumentTypeError(f'{name!r} cannot be used here ({why})') from None
    return name


def parse_running(parser: argparse.ArgumentParser,
                  argv: Optional[Sequence[str]] = None) -> argparse.Namespace:
    """Read the command line; a config that is not there ends the program.

    Args:
        parser (argparse.ArgumentParser): From :func:`running_arguments`.
        argv (Sequence[str], optional): The words. Defaults to None: those of the program.

    Returns:
        argparse.Namespace: Its arguments.
    """
    args = parser.parse_args(argv)
    try:
        args.config = find_config(args.config)
    except FileNotFoundError as error:
        parser.error(str(error))
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return args


def read_config(args: argparse.Namespace) -> Config:
    """Read the config, its changes and its work directory.

    Args:
        args (argparse.Namespace): From :func:`parse_running`.

    Returns:
        Config: For the program to change further.

    Raises:
        ValueError: If the config or a change of it makes no sense; names the file or the key.
    """
    cfg = config_from_file(args.config)
    check_keys(cfg, args.config)
    if args.cfg_options is not None:
        change_config(cfg, args.cfg_options)
    for name in ('val_evaluator', 'test_evaluator'):
        if cfg.get(name) is not None:
            runtime.metrics_of(cfg, name)
    name = args.config
    if args.fold is not None:
        folds.set_fold(cfg, args.fold)
        folds.check_fold_files(cfg, args.fold)
        name = fold_file(name, args.fold)  # a work directory of its own
    runtime.settle_loaders(cfg)
    runtime.settle_hooks(cfg)
    runtime.set_work_dir(cfg, name, args.work_dir)
    return cfg


class _Started(Hook):
    """Knows whether a run works already or is still being built: all other hooks come before."""

    priority = 'LOWEST'

    def __init__(self):
        self.yes = False

    def before_train(self, runner) -> None:
        runtime.warn_of_checkpoints(runner.cfg)  # nothing refuses this training any more

    def before_train_epoch(self, runner) -> None:
        self.yes = True

    before_val_epoch = before_test_epoch = before_train_epoch


def run(cfg: Config, task: str, launcher: str, verbose: bool = False) -> None:
    """Build the Runner and let it work; of several ranks none ends before the others are done.

    Args:
        cfg (Config): The complete config.
        task (str): 'train' or 'test'.
        launcher (str): See :func:`.machine.set_launcher`.
        verbose (bool): Whether MMEngine prints as ever, in place of what a person wants to see; so
            it does where the config has a ``runner_type``. Defaults to False.

    Raises:
        SystemExit: If the config, the data or the machine end the run, with a line that says what
            to mend; after Ctrl-C with the checkpoint to go on from.
    """
    started = _Started()
    with exit_on_error(lambda: RUN_ERRORS if started.yes else (Exception, ),
                       lambda: _how_to_go_on(cfg) if task == 'train' and started.yes else '', cfg):
        lock = None
        if task == 'train' and _rank() == 0:
            lock = hold_work_dir(cfg.work_dir)  # before the Runner writes its log and config
        machine.set_launcher(cfg, launcher)
        if 'runner_type' in cfg:
            runner = RUNNERS.build(cfg)
        else:
            runner = (TALRunner if verbose else QuietRunner).from_cfg(cfg)
        runner.register_hook(started)
        screen = getattr(runner, 'screen', None) if _rank() == 0 else None
        if screen is not None:
            runner.register_hook(ScreenHook(screen))
            screen.say('checking the data ...')  # which may take minutes
        try:
            getattr(runner, task)()
        finally:
            if screen is not None:
                screen.close()  # a bar that is left open hides the cursor
        if screen is not None:
            screen.say(after_training(runner) if task == 'train' else after_test(runner))
        if lock is not None:
            lock.release()
    if dist.is_initialized():
        # a rank that ends with its process group open may abort, and the launcher then stops the
        # others, the first of which may still be writing a checkpoint
        dist.barrier()
        dist.destroy_process_group()


def _rank() -> int:
    """This process's number as launchers say it, before there is a process group."""
    for name in ('RANK', 'SLURM_PROCID', 'OMPI_COMM_WORLD_RANK'):
        if name in os.environ:
            return int(os.environ[name])
    return 0


def _how_to_go_on(cfg: Config) -> str:
    try:
        path = latest_checkpoint(cfg.work_dir)
    except FileNotFoundError:
        path = None
    if path is None:
        return f'no checkpoint is in {cfg.work_dir} yet'
    return f'{path} is whole: the same command with --resume goes on from it'
