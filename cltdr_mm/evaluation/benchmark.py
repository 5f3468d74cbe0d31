"""Figures of finished runs, gathered into one table: method, size, accuracy, time."""
import json
import statistics
from pathlib import Path

from mmaction.registry import MODELS
from mmengine.config import Config
from terminaltables import AsciiTable

#: Figures of one run.
Run = dict[str, float]


def read_run(work_dir: Path) -> Run:
    """Figures of one run.

    Args:
        work_dir (Path): Where tools/train.py and tools/test.py wrote.

    Returns:
        dict[str, float]: ``parameters``; ``average_mAP`` and ``average_mAP@NAME`` of further
        averages, fractions; ``epoch_seconds``, mean time of a training epoch without validation.

    Raises:
        FileNotFoundError: If the run is not complete.
    """
    report = json.loads((work_dir / 'metrics.json').read_text())
    run = dict(parameters=count_parameters(work_dir), epoch_seconds=epoch_seconds(work_dir),
               average_mAP=report['average_mAP'])
    for name, extra in report['extra'].items():
        run[f'average_mAP@{name}'] = extra['average_mAP']
    return run


def count_parameters(work_dir: Path) -> int:
    """Number of parameters of a run's model.

    Args:
        work_dir (Path): Its work directory, which holds the config as it was run.

    Returns:
        int: The number.

    Raises:
        FileNotFoundError: If there is no config.
    """
    configs = sorted(work_dir.glob('*.py'))
    if not configs:
        raise FileNotFoundError(f'{work_dir}: no config of a run (*.py)')
    model = MODELS.build(Config.fromfile(configs[0]).model)
    return sum(parameter.numel() for parameter in model.parameters())


def epoch_seconds(work_dir: Path) -> float:
    """Mean time of the training epochs of a run.

    Args:
        work_dir (Path): Its work directory.

    Returns:
        float: Seconds: the logged time of an iteration, data loading included, times the
        iterations of an epoch.

    Raises:
        FileNotFoundError: If there is no training log.
    """
    logs = sorted(work_dir.glob('*/vis_data/scalars.json'))
    logs = [log for log in logs if '"loss"' in log.read_text()]
    if not logs:
        raise FileNotFoundError(f'{work_dir}: no training log (*/vis_data/scalars.json)')
    lines = [json.loads(line) for line in logs[-1].read_text().splitlines()]
    lines = [line for line in lines if 'loss' in line]
    per_epoch = lines[-1]['iter'] / lines[-1]['epoch']
    return statistics.fmean(line['time'] for line in lines) * per_epoch


def mean_and_spread(values: list[float]) -> str:
    """Percentages of several seeds as 'mean ± standard deviation'.

    Args:
        values (list[float]): Fractions.

    Returns:
        str: One value as it is, several with their sample standard deviation.
    """
    percent = [100 * value for value in values]
    if len(percent) == 1:
        return f'{percent[0]:.2f}'
    return f'{statistics.fmean(percent):.2f} ± {statistics.stdev(percent):.2f}'


def benchmark_table(figures: dict[str, list[Run]]) -> str:
    """The table of a benchmark.

    Args:
        figures (dict[str, list[Run]]): By method, the figures of its seeds.

    Returns:
        str: One row per method: parameters, every average mAP in percent, time per epoch.
    """
    averages = [key for key in next(iter(figures.values()))[0] if key.startswith('average_mAP')]
    rows = [['method', 'parameters', *(key.replace('_', ' ') for key in averages),
             'seconds per epoch']]
    for name, runs in figures.items():
        rows.append([
            name, f"{runs[0]['parameters'] / 1e6:.2f} M",
            *(mean_and_spread([run[key] for run in runs]) for key in averages),
            f"{statistics.fmean(run['epoch_seconds'] for run in runs):.1f}"])
    return AsciiTable(rows).table
