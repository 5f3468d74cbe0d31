"""What the end-to-end tests share: starting a tool, shrinking a config, reading what a run left."""
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import torch

import cltdr_mm  # noqa: F401  (declares to torch what is safe in a checkpoint)

CONFIG = 'configs/cltdr_synthetic.py'


class Tools:
    """The command line of the project, started in a folder of its own.

    Args:
        root (Path): Root of the project.
        cwd (Path): Folder to start in: no tool may depend on being started in the root.
    """

    def __init__(self, root: Path, cwd: Path):
        self.root = root
        self.cwd = cwd

    def __call__(self, *args, ok: bool = True) -> str:
        """Run ``args``, return all that it printed; ``ok=False`` expects it to fail.

        The first is the script, below ``tools``; one that starts with ``configs/`` is a config
        of the project.
        """
        args = [str(self.root / arg) if str(arg).startswith('configs/') else str(arg)
                for arg in args]
        script = self.root / 'tools' / args[0]
        start = [str(script)] if script.suffix == '.sh' else [sys.executable, str(script)]
        env = dict(os.environ, PYTHON=sys.executable, PORT=free_port(), OMP_NUM_THREADS='1')
        done = subprocess.run(start + args[1:], cwd=self.cwd, env=env, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=1800)
        assert (done.returncode == 0) == ok, done.stdout[-8000:]
        return done.stdout


def free_port() -> str:
    """A port for the ranks of a distributed run to meet at."""
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        return str(free.getsockname()[1])


def small(data: Path, **kwargs) -> list:
    """Options that shrink a config of CLTDR-GMG and point it to ``data``, for the command line."""
    options = {'train_cfg.max_epochs': 2, 'train_cfg.val_interval': 1, 'param_scheduler.warmup': 1,
               'default_hooks.checkpoint.max_keep_ckpts': -1,
               'model.backbone.embed_dims': 32, 'model.backbone.ffn_dims': 48,
               'model.neck.in_channels': 32, 'model.head.in_channels': 32}
    for part in ('train', 'val', 'test'):
        options[f'{part}_dataloader.num_workers'] = 0
        options[f'{part}_dataloader.persistent_workers'] = False
        options[f'{part}_dataloader.dataset.data_root'] = f'{data}/'
        options[f'{part}_dataloader.dataset.ann_file'] = 'annotations.json'
    for part in ('val', 'test'):
        options[f'{part}_evaluator.ann_file'] = data / 'annotations.json'
    options.update({key.replace('__', '.'): value for key, value in kwargs.items()})
    return ['--cfg-options', *(f'{key}={value}' for key, value in options.items())]


def logged(work_dir: Path) -> list:
    """What the newest run in ``work_dir`` logged, a dict for each line."""
    log = max(Path(work_dir).glob('*/vis_data/scalars.json'), key=lambda p: p.stat().st_mtime)
    return [json.loads(line) for line in log.read_text().splitlines()]


def load(path: Path) -> dict:
    """Read a checkpoint as torch does by default, that is, without running code."""
    return torch.load(path, map_location='cpu', weights_only=True)
