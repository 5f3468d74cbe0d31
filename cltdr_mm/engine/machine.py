"""How a run uses the machine: precision, learning rate for its batch, seeds, ranks.

Like ``runtime.py``, these functions change a config in place before the Runner sees it.
"""
import datetime
import inspect
import os
from typing import Optional

import torch
import torch.distributed as dist
from mmengine.config import Config
from torch.nn.parallel import DistributedDataParallel

#: What tells a process which rank it is, by launcher, and what sets that.
_STARTED_BY = {'pytorch': ('RANK', 'torchrun, or tools/dist_train.sh and tools/dist_test.sh'),
               'slurm': ('SLURM_PROCID', 'srun, or tools/slurm_train.sh and tools/slurm_test.sh'),
               'mpi': ('OMPI_COMM_WORLD_LOCAL_RANK', 'mpirun')}


def set_amp(cfg: Config) -> None:
    """Train in mixed precision on whatever there is.

    On a GPU bfloat16 where it is supported (no loss scaling: its range is float32's), else
    float16 with dynamic loss scaling; on a CPU bfloat16.

    Args:
        cfg (Config): The config; its ``optim_wrapper`` must be a plain ``OptimWrapper`` or an
            ``AmpOptimWrapper``, which is left as it is on a GPU.

    Raises:
        ValueError: If the config already names another optimizer wrapper, or has none.
    """
    if not isinstance(cfg.get('optim_wrapper'), dict):
        raise ValueError('--amp changes optim_wrapper, and the config has none')
    kind = cfg.optim_wrapper.get('type', 'OptimWrapper')
    known = ('OptimWrapper', 'AmpOptimWrapper', 'CPUAmpOptimWrapper')
    if kind not in known:
        raise ValueError(f'--amp replaces optim_wrapper.type {", ".join(known)}; the config says '
                         f'{kind}')
    if not torch.cuda.is_available():
        for key in ('loss_scale', 'dtype', 'use_fsdp'):
            cfg.optim_wrapper.pop(key, None)
        cfg.optim_wrapper.type = 'CPUAmpOptimWrapper'
    elif kind != 'AmpOptimWrapper':
        # not torch.cuda.is_bf16_supported(), which counts slow emulation on older cards
        bf16 = torch.cuda.get_device_capability() >= (8, 0)
        cfg.optim_wrapper.type = 'AmpOptimWrapper'
        cfg.optim_wrapper.dtype = 'bfloat16' if bf16 else 'float16'
        cfg.optim_wrapper.loss_scale = 1. if bf16 else 'dynamic'


def set_auto_scale_lr(cfg: Config) -> None:
    """Scale the learning rate with the batch of all ranks.

    Args:
        cfg (Config): The config; ``auto_scale_lr.base_batch_size`` says for how many videos its
            rate is.

    Raises:
        ValueError: If it does not say so.
    """
    options = cfg.get('auto_scale_lr')
    size = options.get('base_batch_size') if isinstance(options, dict) else None
    if not isinstance(size, int) or size < 1:
        raise ValueError('--auto-scale-lr needs auto_scale_lr.base_batch_size, the videos per step '
                         f'that the learning rate is for; it is {size!r}')
    cfg.auto_scale_lr.enable = True


def set_randomness(cfg: Config, seed: Optional[int], diff_rank_seed: bool = False,
                   deterministic: bool = False) -> None:
    """Set the seed and determinism; what the command line does not say stays as configured.

    Args:
        cfg (Config): The config.
        seed (int, optional): Seed of initialisation, order and augmentation.
        diff_rank_seed (bool): Whether MMEngine adds the rank to the seed. Defaults to False.
        deterministic (bool): Whether only deterministic algorithms are used. Defaults to False.
    """
    randomness = dict(cfg.get('randomness') or dict(seed=None))
    if seed is not None:
        randomness['seed'] = seed
    if diff_rank_seed:
        randomness['diff_rank_seed'] = True
    if deterministic:
        randomness['deterministic'] = True
        # cuBLAS asks for this before its first use
        os.environ.setdefault('CUBLAS_WORKSPACE_CONFIG', ':4096:8')
    cfg.randomness = randomness


def set_launcher(cfg: Config, launcher: str) -> None:
    """Choose how ranks find each other, and make it work without a GPU.

    MMEngine's own start selects a CUDA device and hands device ids to DDP, whatever back-end the
    config names; on CPU the process group (gloo) is therefore made here, first, and the wrapper
    is told that there are no devices. The config file needs no change either way.

    Args:
        cfg (Config): The config.
        launcher (str): 'none', 'pytorch', 'slurm' or 'mpi'.

    Raises:
        ValueError: If this process was not started by it.
    """
    cfg.launcher = launcher
    variable, starter = _STARTED_BY.get(launcher, (None, ''))
    if variable is not None and variable not in os.environ:
        raise ValueError(f'--launcher {launcher}: the environment has no {variable}, which the '
                         f'launcher sets for each rank: start with {starter}')
    if launcher != 'pytorch' or torch.cuda.is_available():
        return
    if not dist.is_initialized():
        timeout = cfg.get('env_cfg', {}).get('dist_cfg', {}).get('timeout')
        options = {} if timeout is None else dict(timeout=datetime.timedelta(seconds=timeout))
        dist.init_process_group('gloo', **options)
    # torch renamed it, and warns of the old name
    known = inspect.signature(DistributedDataParallel).parameters
    buffers = 'forward_sync_buffers' if 'forward_sync_buffers' in known else 'broadcast_buffers'
    wrapper = dict({buffers: False}, type='MMDistributedDataParallel',
                   find_unused_parameters=cfg.get('find_unused_parameters', False))
    wrapper.update(cfg.get('model_wrapper_cfg') or {})
    wrapper['device_ids'] = None
    cfg.model_wrapper_cfg = wrapper
