"""What the command lines of tools/train.py and tools/test.py have in common."""
import argparse
import os

import torch.distributed as dist
from mmaction.registry import RUNNERS
from mmengine.config import Config, DictAction
from mmengine.runner import Runner

from ..engine import runtime
from ..utils import exit_on_bad_data


def running_parser(description: str) -> argparse.ArgumentParser:
    """Make a parser of what every run takes: a config, changes to it, a launcher.

    Args:
        description (str): What the program does.

    Returns:
        argparse.ArgumentParser: To which a program adds its own; read by :func:`parse_running`.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument('config', help='config file')
    parser.add_argument('--work-dir', help='folder of logs and checkpoints '
                        '(default: the one in the config, else work_dirs/<name of the config>)')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, help='changes to the config '
                        'as key=value; lists as key="[a,b]", without blanks')
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none',
                        help='how the ranks of a distributed job were started')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0,
                        help='set by the launcher')
    return parser


def parse_running(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """Read the command line; a config that is not there ends the program.

    Args:
        parser (argparse.ArgumentParser): From :func:`running_parser`.

    Returns:
        argparse.Namespace: Its arguments.
    """
    args = parser.parse_args()
    if not os.path.isfile(args.config):
        parser.error(f'there is no config {args.config}')
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return args


def read_config(args: argparse.Namespace) -> Config:
    """Read the config, its changes and its work directory.

    Args:
        args (argparse.Namespace): From :func:`parse_running`.

    Returns:
        Config: For the program to change further.
    """
    cfg = Config.fromfile(args.config)
    if args.cfg_options is not None:
        cfg.merge_from_dict(args.cfg_options)
    runtime.set_work_dir(cfg, args.config, args.work_dir)
    return cfg


def run(cfg: Config, task: str, launcher: str) -> None:
    """Build the Runner and let it work; of several ranks none ends before the others are done.

    Args:
        cfg (Config): The complete config.
        task (str): 'train' or 'test'.
        launcher (str): See :func:`.runtime.set_launcher`.

    Raises:
        SystemExit: If data are wrong, with a message that says what to mend.
    """
    runtime.set_launcher(cfg, launcher)
    with exit_on_bad_data():
        runner = RUNNERS.build(cfg) if 'runner_type' in cfg else Runner.from_cfg(cfg)
        getattr(runner, task)()
    if dist.is_initialized():
        # a rank that ends with its process group open may abort, and the launcher then stops the
        # others, the first of which may still be writing a checkpoint
        dist.barrier()
        dist.destroy_process_group()
