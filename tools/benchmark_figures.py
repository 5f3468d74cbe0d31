"""Figures of finished runs, gathered into one table: method, size, accuracy, time.

A part of benchmark_methods.py, and no program.
"""
import json
import statistics
from pathlib import Path
from typing import Any, Optional

from mmaction.registry import MODELS
from mmengine.config import Config
from terminaltables import AsciiTable

#: Figures of one run.
Run = dict[str, float]

#: What two runs of one config may differ in: where they lie, how they were started.
PLACE = ('work_dir', 'launcher')


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
    """Number of parameters of a run's model; FileNotFoundError without a training log."""
    model = MODELS.build(training_config(work_dir).model)
    return sum(parameter.numel() for parameter in model.parameters())


def training_log(work_dir: Path) -> Path:
    """Scalars of the latest training in a work directory.

    The config as it was run lies beside them. The folder itself holds configs by their names,
    those of trainings given up among them.

    Raises:
        FileNotFoundError: If there is no training log.
    """
    logs = sorted(work_dir.glob('*/vis_data/scalars.json'))
    logs = [log for log in logs if '"loss"' in log.read_text()]
    if not logs:
        raise FileNotFoundError(f'{work_dir}: no training log (*/vis_data/scalars.json)')
    return logs[-1]


def training_config(work_dir: Path) -> Config:
    """Config of a run's training as the Runner had it, with all that was inherited or changed.

    Raises:
        FileNotFoundError: If there is no training log, or no config beside it.
    """
    return Config.fromfile(training_log(work_dir).with_name('config.py'))


def config_differences(there: Any, asked: Any, key: str = '') -> list[str]:
    """Compare two configs, or two values in them.

    Args:
        there (Any): Dict, list or value of the one.
        asked (Any): The same of the other.
        key (str): Where in the config, written as for ``--cfg-options``. Defaults to the top,
            where what belongs to the place of a run is left out.

    Returns:
        list[str]: One line for each value that differs, empty if none does.
    """
    if isinstance(there, dict) and isinstance(asked, dict):
        keys = [name for name in sorted({*there, *asked}) if key or name not in PLACE]
        missing = '(nothing)'
        return [line for name in keys for line in config_differences(
            there.get(name, missing), asked.get(name, missing), f'{key}.{name}'.strip('.'))]
    if isinstance(there, list) and isinstance(asked, list) and len(there) == len(asked):
        return [line for index, pair in enumerate(zip(there, asked))
                for line in config_differences(*pair, f'{key}.{index}')]
    return [] if there == asked else [f'{key}: {there} there, {asked} asked for']


def epoch_seconds(work_dir: Path) -> float:
    """Mean seconds of a run's training epochs, data loading included.

    Raises:
        FileNotFoundError: If there is no training log.
    """
    lines = map(json.loads, training_log(work_dir).read_text().splitlines())
    lines = [line for line in lines if 'loss' in line]
    per_epoch = lines[-1]['iter'] / lines[-1]['epoch']
    return statistics.fmean(line['time'] for line in lines) * per_epoch


def mean_and_spread(values: list[float]) -> str:
    """Percent of several seeds as '51.00 ± 1.41' (sample standard deviation), of one '50.00'."""
    percent = [100 * value for value in values]
    if len(percent) == 1:
        return f'{percent[0]:.2f}'
    return f'{statistics.fmean(percent):.2f} ± {statistics.stdev(percent):.2f}'


def benchmark_table(figures: dict[str, list[Optional[Run]]]) -> str:
    """The table of a benchmark.

    Args:
        figures (dict[str, list[Run or None]]): By method, the figures of its seeds; None for a
            run that failed.

    Returns:
        str: One row per method: parameters, every average mAP in percent, time per epoch. A mean
        over fewer runs than were to be says of how many.
    """
    keys = dict.fromkeys(key for runs in figures.values() for run in runs if run for key in run)
    averages = [key for key in keys if key.startswith('average_mAP')]
    rows = [['method', 'parameters', *(key.replace('_', ' ') for key in averages),
             'seconds per epoch']]
    for name, runs in figures.items():
        done = [run for run in runs if run]
        if not done:
            rows.append([name, *['failed'] * (len(rows[0]) - 1)])
            continue
        mark = '' if len(done) == len(runs) else f' ({len(done)} of {len(runs)} runs)'
        rows.append([
            name, f"{done[0]['parameters'] / 1e6:.2f} M",
            *(mean_and_spread([run[key] for run in done]) + mark if key in done[0] else '-'
              for key in averages),
            f"{statistics.fmean(run['epoch_seconds'] for run in done):.1f}{mark}"])
    return AsciiTable(rows).table
