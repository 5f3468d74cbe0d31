"""What the command line tools change in a config before the Runner sees it.

All functions change the config in place; none imports a model or writes a file.
"""
import copy
import datetime
import importlib.util
import inspect
import logging
import os
import re
from pathlib import Path
from typing import Optional

import torch
import torch.distributed as dist
from mmengine.config import Config
from mmengine.logging import print_log
from torch.nn.parallel import DistributedDataParallel

from ..utils import fold_file
from .work_dir import find_checkpoint, latest_checkpoint

#: What tells a process which rank it is, by launcher, and what sets that.
_STARTED_BY = {'pytorch': ('RANK', 'torchrun, or tools/dist_train.sh and tools/dist_test.sh'),
               'slurm': ('SLURM_PROCID', 'srun, or tools/slurm_train.sh and tools/slurm_test.sh'),
               'mpi': ('OMPI_COMM_WORLD_LOCAL_RANK', 'mpirun')}
#: Metrics that take ``out_dir``.
RESULT_WRITERS = ('TALMetric', 'ProposalMetric', 'EPICActionMetric')


def set_work_dir(cfg: Config, config_path: str, work_dir: Optional[str]) -> None:
    """Decide where logs and checkpoints go.

    Args:
        cfg (Config): The config.
        config_path (str): Its file; its name is used where nothing else is said.
        work_dir (str, optional): From the command line; goes before the config's own.
    """
    if work_dir is not None:
        cfg.work_dir = work_dir
    elif cfg.get('work_dir') is None:
        cfg.work_dir = str(Path('work_dirs', Path(config_path).stem))


def set_resume(cfg: Config, resume: Optional[str]) -> None:
    """Continue an earlier training.

    Args:
        cfg (Config): The config; its own ``resume`` and ``load_from`` count where nothing is said.
        resume (str, optional): A checkpoint, or 'auto' for the latest one of the work directory
            (from scratch where there is none yet), or None to start anew.

    Raises:
        FileNotFoundError: If there is no such checkpoint, or none in the work directory is whole.
    """
    if resume is not None:
        cfg.resume = True
        cfg.load_from = None if resume == 'auto' else find_checkpoint(resume)
    if cfg.get('resume') and cfg.get('load_from') is None:
        cfg.load_from = latest_checkpoint(cfg.work_dir)
        cfg.resume = cfg.load_from is not None
        if not cfg.resume:
            print_log(f'{cfg.work_dir} holds no checkpoint yet: the training starts anew',
                      logger='current', level=logging.WARNING)
    elif not cfg.get('resume') and any(Path(cfg.work_dir).glob('*.pth')):
        print_log(f'{cfg.work_dir} holds checkpoints of an earlier training, which this one will '
                  'write over; to go on from them: --resume', logger='current',
                  level=logging.WARNING)


def set_fold(cfg: Config, fold: int) -> None:
    """Train and judge within a fold, whose annotation file has no test video.

    Training, validation and test read ``annotations_fold<N>.json`` in place of the config's
    ``annotations.json``; validation and test are both of its subset ``validation``.

    Args:
        cfg (Config): The config; its validation, if it has one, is replaced.
        fold (int): Number of the fold.

    Raises:
        ValueError: If a data set or a metric of the config has no annotation file, the config is of
            another fold, or the number is negative.
    """
    if fold < 0:
        raise ValueError(f'--fold {fold}: folds are numbered from 0')
    loaders = [cfg[name] for name in ('train_dataloader', 'test_dataloader') if cfg.get(name)]
    parts = [loader.dataset for loader in loaders] + test_metrics(cfg)
    for part in parts:
        if not isinstance(part.get('ann_file'), str):
            raise ValueError(f'--fold {fold}: {part.get("type")} has no ann_file, beside which '
                             'those of the folds could lie')
        there = re.search(r'_fold(\d+)$', Path(part.ann_file).stem)
        if there and int(there[1]) != fold:
            raise ValueError(f'--fold {fold}: the config is of fold {there[1]} already')
        if not there:  # the config that a training on the fold left behind has it already
            part.ann_file = fold_file(part.ann_file, fold)
    for part in (cfg.test_dataloader.dataset, *cfg.test_evaluator):
        part.subset = 'validation'
    cfg.val_cfg = dict(type='ValLoop')
    cfg.val_dataloader = copy.deepcopy(cfg.test_dataloader)
    cfg.val_evaluator = copy.deepcopy(cfg.test_evaluator)


def settle_loaders(cfg: Config) -> None:
    """Take from data loaders without workers what only workers can do.

    Args:
        cfg (Config): The config.

    Raises:
        ValueError: If a number of workers is none.
    """
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        loader = cfg.get(name)
        workers = loader.get('num_workers', 0) if isinstance(loader, dict) else None
        if workers is not None and (not isinstance(workers, int) or workers < 0):
            raise ValueError(f'{name}.num_workers must be a whole number, 0 for none, got '
                             f'{workers!r}')
        if workers == 0:
            for key in ('persistent_workers', 'prefetch_factor'):
                loader.pop(key, None)


def settle_hooks(cfg: Config) -> None:
    """Leave out default hooks that are None, which MMEngine knows for its own only.

    Args:
        cfg (Config): The config.
    """
    own = ('runtime_info', 'timer', 'sampler_seed', 'logger', 'param_scheduler', 'checkpoint')
    hooks = cfg.get('default_hooks') or {}
    for name in [name for name, hook in hooks.items() if hook is None and name not in own]:
        hooks.pop(name)


def metrics_of(cfg: Config, name: str) -> list:
    """List the metrics of an evaluator, whether the config has one or several.

    Args:
        cfg (Config): The config.
        name (str): ``'val_evaluator'`` or ``'test_evaluator'``.

    Returns:
        list: Their configs.

    Raises:
        ValueError: If there is none, or one is no dict.
    """
    found = cfg.get(name)
    metrics = list(found) if isinstance(found, (list, tuple)) else [found]
    if not all(isinstance(metric, dict) for metric in metrics):
        raise ValueError(f'{name} must be the config of a metric, dict(type=...), or a list of '
                         f'such, got {found!r}')
    return metrics


def test_metrics(cfg: Config) -> list:
    """List the metrics of the test, to be changed.

    Args:
        cfg (Config): The config; afterwards ``test_evaluator`` is the list returned, apart from
            ``val_evaluator``, which it often is the same as.

    Returns:
        list: Their configs.

    Raises:
        ValueError: See :func:`metrics_of`.
    """
    cfg.test_evaluator = [metric.copy() for metric in metrics_of(cfg, 'test_evaluator')]
    return cfg.test_evaluator


def set_result_dir(cfg: Config, folder: str) -> None:
    """Write detections and metrics of a test to files.

    Args:
        cfg (Config): The config.
        folder (str): Folder of ``detections.json`` and ``metrics.json``.

    Raises:
        ValueError: If no metric of the test can write them.
    """
    writers = [metric for metric in test_metrics(cfg) if metric.get('type') in RESULT_WRITERS]
    if not writers:
        raise ValueError(f'only {" and ".join(RESULT_WRITERS)} write results, and test_evaluator '
                         'has none of them')
    writers[0].out_dir = folder


def drop_validation(cfg: Config) -> None:
    """Train without evaluating in between.

    Args:
        cfg (Config): The config.
    """
    cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None


def set_watching(cfg: Config, tensorboard: bool, timelines: bool) -> None:
    """Choose what can be watched beside the log.

    Args:
        cfg (Config): The config.
        tensorboard (bool): Whether scalars and pictures are written for TensorBoard too.
        timelines (bool): Whether eight videos are drawn in each validation.

    Raises:
        ValueError: If TensorBoard is asked for and not installed, or timelines of a training that
            validates nothing.
    """
    if tensorboard:
        if importlib.util.find_spec('tensorboard') is None:
            raise ValueError('--tensorboard needs TensorBoard: pip install "cltdr-mm[tensorboard]"')
        ours = dict(type='TALTensorboardVisBackend')
        visualizer = dict(cfg.get('visualizer') or dict(type='TALVisualizer'))
        others = [other for other in visualizer.get('vis_backends') or [] if other != ours]
        cfg.visualizer = dict(visualizer, vis_backends=[*others, ours])
    if timelines:
        if cfg.get('val_dataloader') is None:
            raise ValueError('--timelines draws what is validated, and nothing is; with --fold N '
                             'the validation videos of a fold are')
        cfg.default_hooks = dict(cfg.get('default_hooks') or {}, visualization=dict(
            type='TALVisualizationHook', interval=1, max_samples=8))


def drop_training(cfg: Config) -> None:
    """Leave out what only a training needs, so that a test neither builds nor overwrites it.

    Args:
        cfg (Config): The config.
    """
    for name in ('train_cfg', 'train_dataloader', 'optim_wrapper', 'param_scheduler'):
        cfg[name] = None


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
