"""Figures of finished runs: read from their folders, kept in one JSON file.

A part of benchmark_methods.py, and no program.
"""
import hashlib
import json
import statistics
from pathlib import Path
from typing import Any, Optional, Union

from filelock import FileLock
from mmaction.registry import MODELS
from mmengine.config import Config

from cltdr_mm.utils import TALDataError, atomic_path, read_json
from cltdr_mm.version import __version__

#: What is known of one run: ``config`` (its name), ``settings`` (:func:`settings_digest`),
#: ``fold`` (None: judged on the test set), ``seed``, ``version``, and what :func:`read_run` gives.
Run = dict[str, Any]

#: What two runs of one config may differ in: where they lie, how they were started.
PLACE = ('work_dir', 'launcher')


def settings_digest(cfg: Config) -> str:
    """Name the settings of a config by their content.

    Args:
        cfg (Config): Resolved, before a fold is chosen.

    Returns:
        str: 12 hexadecimal digits; the same for the same settings, whatever seed and place.
    """
    settings = {key: value for key, value in cfg.to_dict().items() if key not in PLACE}
    settings['randomness'] = dict(settings.get('randomness') or {}, seed=None)
    text = json.dumps(settings, sort_keys=True, default=repr)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def read_runs(path: Union[str, Path]) -> list[Run]:
    """Read the runs of a JSON file; none if there is no such file.

    Raises:
        TALDataError: If it is not such a file.
    """
    if not Path(path).exists():
        return []
    runs = read_json(path, 'benchmark').get('runs')
    keys = {'config', 'settings', 'fold', 'seed', 'average_mAP'}
    if not isinstance(runs, list) or not all(
            isinstance(run, dict) and keys <= set(run) for run in runs):
        raise TALDataError.of('benchmark', path, 'runs', 'must be a list of runs, as '
                              'tools/benchmark_methods.py writes it')
    return runs


def add_run(path: Union[str, Path], run: Run) -> None:
    """Add a run to a JSON file, whatever other processes add meanwhile.

    Runs of the same config with other settings are dropped: means are over one set of settings.

    Args:
        path (str or Path): The file; made where it is missing.
        run (dict): The run.
    """
    path = Path(path).absolute()
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_name(f'.{path.name}.lock')):
        runs = [other for other in read_runs(path) if other['config'] != run['config'] or (
            other['settings'] == run['settings'] and _place(other) != _place(run))]
        runs.append(run)
        runs.sort(key=lambda run: (run['config'], _place(run)))
        lines = ',\n'.join(f' {json.dumps(run, allow_nan=False)}' for run in runs)
        with atomic_path(path) as temporary:  # a line a run: changes are seen in version control
            Path(temporary).write_text(f'{{"runs": [\n{lines}\n]}}\n', encoding='utf-8')


def find_run(runs: list[Run], config: str, settings: str, fold: Optional[int],
             seed: int) -> Optional[Run]:
    """Find a run of just these settings, or None."""
    return next((run for run in runs if run['config'] == config and run['settings'] == settings
                 and _place(run) == _place(dict(fold=fold, seed=seed))), None)


def _place(run: Run) -> tuple[int, int]:
    return -1 if run['fold'] is None else run['fold'], run['seed']


def read_run(work_dir: Path) -> Run:
    """Figures of one run.

    Args:
        work_dir (Path): Where tools/train.py and tools/test.py wrote.

    Returns:
        dict: ``version`` of this library; ``parameters``; ``epoch_seconds``, mean time of a
        training epoch without validation; as fractions ``average_mAP``, ``average_mAP@NAME`` of
        further averages, and ``mAP`` at each tIoU.

    Raises:
        FileNotFoundError: If the run is not complete.
    """
    report = json.loads((work_dir / 'metrics.json').read_text())
    run = dict(version=__version__, parameters=count_parameters(work_dir),
               epoch_seconds=round(epoch_seconds(work_dir), 2),
               average_mAP=report['average_mAP'], mAP=dict(report['mAP']))
    for name, extra in report['extra'].items():
        run[f'average_mAP@{name}'] = extra['average_mAP']
        run['mAP'].update(extra['mAP'])
    return run


def count_parameters(work_dir: Path) -> int:
    """Number of parameters of a run's model; FileNotFoundError without a training log."""
    model = MODELS.build(Config.fromfile(training_log(work_dir).with_name('config.py')).model)
    return sum(parameter.numel() for parameter in model.parameters())


def training_log(work_dir: Path) -> Path:
    """Scalars of the latest training in a work directory; the config as it was run is beside them.

    Raises:
        FileNotFoundError: If there is no training log.
    """
    logs = sorted(work_dir.glob('*/vis_data/scalars.json'))
    logs = [log for log in logs if '"loss"' in log.read_text()]
    if not logs:
        raise FileNotFoundError(f'{work_dir}: no training log (*/vis_data/scalars.json)')
    return logs[-1]


def epoch_seconds(work_dir: Path) -> float:
    """Mean seconds of a run's training epochs, data loading included.

    Raises:
        FileNotFoundError: If there is no training log.
    """
    lines = map(json.loads, training_log(work_dir).read_text().splitlines())
    lines = [line for line in lines if 'loss' in line]
    per_epoch = lines[-1]['iter'] / lines[-1]['epoch']
    return statistics.fmean(line['time'] for line in lines) * per_epoch
