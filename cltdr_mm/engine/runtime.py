"""What a command line says a run should do, written into its config before the Runner sees it.

Here: where it writes and from what it goes on, what it leaves out, who measures it and who watches.
On which data it is trained and judged is in ``folds.py``, how it uses the machine in
``machine.py``. All functions change the config in place; none imports a model or writes a file.
"""
import importlib.util
import logging
from pathlib import Path
from typing import Optional

from mmengine.config import Config
from mmengine.logging import print_log

from .work_dir import find_checkpoint, latest_checkpoint

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


def warn_of_checkpoints(cfg: Config) -> None:
    """Say in the log if a training that begins anew will write over an earlier one's checkpoints.

    Args:
        cfg (Config): The config.
    """
    if not cfg.get('resume') and any(Path(cfg.work_dir).glob('*.pth')):
        print_log(f'{cfg.work_dir} holds checkpoints of an earlier training, which this one will '
                  'write over; to go on from them: --resume', logger='current',
                  level=logging.WARNING)


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
