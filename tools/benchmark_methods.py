#!/usr/bin/env python
"""Train and judge configs over several seeds, on the test set or on folds of the training videos.

Each run that ends is added to one JSON file. Runs that are in it are not repeated, so the same
command goes on after it was stopped, and several may write to one file. A training that was
stopped is resumed.

Examples::

    python tools/benchmark_methods.py configs/cltdr_hapt.py configs/tridet_hapt.py \
        --seeds 0 1 2 3 4 --jobs 2 --out docs/methods/hapt_benchmark.json
    python tools/benchmark_methods.py configs/cltdr_hapt.py wide=mine.py --folds 0 1 --seeds 0 1
"""
import argparse
import copy
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Optional

from benchmark_figures import add_run, find_run, read_run, read_runs, settings_digest
from benchmark_tables import runs_table
from filelock import FileLock, Timeout
from mmengine.config import Config

from cltdr_mm.apis.running.command_line import read_config, running_arguments
from cltdr_mm.engine import folds, machine, runtime
from cltdr_mm.utils import TALDataError, exit_on_error, out_file, out_folder

TOOLS = Path(__file__).resolve().parent


def parse_args(argv=None) -> argparse.Namespace:
    """Read the command line.

    Returns:
        argparse.Namespace: Its arguments.
    """
    parser = argparse.ArgumentParser(description='Compare methods under one recipe')
    parser.add_argument('configs', nargs='+', help='config files; NAME=FILE names a row')
    parser.add_argument('--seeds', nargs='+', type=int, default=[0, 1, 2], help='random seeds')
    parser.add_argument('--folds', nargs='+', type=int, help='train and judge on these folds of '
                        'the training videos; the test set is not read (default: the test set)')
    parser.add_argument('--out', type=out_file, help='JSON file of all runs, which is added to '
                        '(default: runs.json in the work directory)')
    parser.add_argument('--work-dir', type=out_folder, default='work_dirs/benchmark',
                        help='folder of the logs and checkpoints of all runs')
    parser.add_argument('--jobs', type=int, default=1, help='runs at a time')
    parser.add_argument('--threads', type=int, help='threads of each run (default: all cores '
                        'over --jobs)')
    parser.add_argument('--cfg-options', nargs='+', default=[],
                        help='changes to every config, as for tools/train.py')
    args = parser.parse_args(argv)
    args.out = args.out or str(Path(args.work_dir, 'runs.json'))
    if args.jobs < 1:
        parser.error(f'--jobs must be at least 1, got {args.jobs}')
    for name, values in dict(seeds=args.seeds, folds=args.folds or []).items():
        if min(values, default=0) < 0 or len(set(values)) < len(values):
            parser.error(f'--{name} must be different numbers from 0 on, got {values}')
    return args


def asked_config(config: str, options: list[str]) -> Config:
    """Resolve a config as tools/train.py will, and refuse one that cannot be compared.

    Args:
        config (str): Config file.
        options (list[str]): Values of ``--cfg-options``.

    Returns:
        Config: What it trains with, but for seed and fold; nothing is validated in between.

    Raises:
        ValueError: If there is no such file, or another metric than TALMetric writes its results.
    """
    if not Path(config).is_file():
        raise ValueError(f'there is no config {config}')
    changes = ['--cfg-options', *options] if options else []
    cfg = read_config(running_arguments(argparse.ArgumentParser()).parse_args([config, *changes]))
    runtime.drop_validation(cfg)
    writers = [metric['type'] for metric in runtime.test_metrics(copy.deepcopy(cfg))
               if metric.get('type') in runtime.RESULT_WRITERS]
    if writers[:1] != ['TALMetric']:
        raise ValueError(f'{config}: only configs judged by TALMetric can be compared; the first '
                         f'metric of its test_evaluator is {(writers or ["another"])[0]}')
    return cfg


@dataclass
class Task:
    """A run that is asked for.

    Args:
        name (str): Of the config.
        settings (str): Digest of the config without fold and seed.
        cfg (Config): What it trains and tests with.
        fold (int, optional): None: the test set.
        seed (int): Random seed.
    """

    name: str
    settings: str
    cfg: Config
    fold: Optional[int]
    seed: int

    @property
    def title(self) -> str:
        """str: For messages."""
        fold = '' if self.fold is None else f', fold {self.fold}'
        return f'{self.name}{fold}, seed {self.seed}'

    def find(self, out: str) -> Optional[dict]:
        """Look for its figures in the JSON file."""
        return find_run(read_runs(out), self.name, self.settings, self.fold, self.seed)

    def folder(self, work_dir: str) -> Path:
        """Where it is run: other settings have other folders, so that what is there fits."""
        fold = '' if self.fold is None else f'fold{self.fold}_'
        return Path(work_dir, self.name, f'{fold}seed{self.seed}_{self.settings}')


def asked_tasks(args: argparse.Namespace) -> list[Task]:
    """List the runs that a command line asks for, all configs with one seed before the next.

    Args:
        args (argparse.Namespace): From :func:`parse_args`.

    Returns:
        list[Task]: In the order in which they begin.

    Raises:
        ValueError: If something cannot be compared.
    """
    files: dict[str, str] = {}
    for item in args.configs:
        name, _, config = item.rpartition('=')
        name = name or Path(config).stem
        if name in files:
            raise ValueError(f'{name}: more than one config has this name; say NAME=FILE')
        files[name] = config
    configs = {name: asked_config(config, args.cfg_options) for name, config in files.items()}
    tasks = []
    for seed in args.seeds:
        for fold in args.folds or [None]:
            for name, asked in configs.items():
                cfg = copy.deepcopy(asked)
                if fold is not None:
                    folds.set_fold(cfg, fold)
                    folds.check_fold_files(cfg, fold)
                    runtime.drop_validation(cfg)
                machine.set_randomness(cfg, seed)
                tasks.append(Task(name, settings_digest(asked), cfg, fold, seed))
    for ann_file in dict.fromkeys(runtime.test_metrics(copy.deepcopy(task.cfg))[0].get('ann_file')
                                  for task in tasks):
        if ann_file is not None and not Path(ann_file).is_file():
            raise ValueError(f'{ann_file} is missing, which the runs are judged by')
    return tasks


class Runs:
    """Starts the programs of runs, and ends them when this one ends.

    Args:
        args (argparse.Namespace): From :func:`parse_args`.
    """

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        threads = str(args.threads or max(1, (os.cpu_count() or 1) // args.jobs))
        self._env = dict(os.environ, OMP_NUM_THREADS=threads, MKL_NUM_THREADS=threads)
        self._lock, self._stopped = Lock(), False
        self._programs: set[subprocess.Popen] = set()

    def __call__(self, task: Task) -> None:
        """Train and test, and add the figures to the JSON file, unless they are there.

        Raises:
            RuntimeError: If training or testing fails, with the log; or if another process has
                the run in hand.
        """
        folder = task.folder(self.args.work_dir)
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(folder / '.benchmark.lock', timeout=0):
                if task.find(self.args.out) is None:  # else another process was faster
                    self._run(task, folder)
        except Timeout:
            raise RuntimeError('another process is at it') from None

    def _run(self, task: Task, folder: Path) -> None:
        if not (folder / 'metrics.json').is_file():
            # as it was asked for, whatever becomes of the config file meanwhile
            config = str(folder / f'{task.name}.py')
            with self._lock:  # neither yapf nor Python's parser is made for threads
                task.cfg.dump(config)
            common = [config, '--work-dir', str(folder)]
            with open(folder / 'output.log', 'a') as log:
                # goes on from the last checkpoint, with the same numbers as without a stop
                self._program(['train.py', *common, '--resume'], log)
                self._program(['test.py', config, str(folder), *common[1:], '--out', str(folder)],
                              log)
        with self._lock:
            add_run(self.args.out, dict(config=task.name, settings=task.settings, fold=task.fold,
                                        seed=task.seed, **read_run(folder)))

    def _program(self, words: list[str], log) -> None:
        with self._lock:
            if self._stopped:
                raise RuntimeError('was not begun')
            program = subprocess.Popen([sys.executable, str(TOOLS / words[0]), *words[1:]],
                                       stdout=log, stderr=subprocess.STDOUT, env=self._env)
            self._programs.add(program)
        code = program.wait()
        self._programs.discard(program)
        if code:
            raise RuntimeError(f'tools/{words[0]} failed, see {log.name}')

    def stop(self) -> None:
        """End what runs, and begin nothing more."""
        with self._lock:
            self._stopped = True
            for program in list(self._programs):
                program.terminate()


def main(argv=None) -> None:
    """Run what is not there yet, print the table.

    Raises:
        SystemExit: Before any training if something cannot be compared; at the end if runs
            failed, which are named; after Ctrl-C with what is kept.
    """
    with exit_on_error():
        args = parse_args(argv)
        tasks = asked_tasks(args)
    with exit_on_error(advice=lambda: how_to_go_on(args, tasks)):
        run_all(args, tasks)


def how_to_go_on(args: argparse.Namespace, tasks: list[Task]) -> str:
    """What a person should know when it was stopped."""
    done = sum(task.find(args.out) is not None for task in tasks)
    return (f'{args.out} keeps {done} of {len(tasks)} runs; the same command goes on with the '
            f'rest, and with what was in training from its last checkpoint in {args.work_dir}')


def run_all(args: argparse.Namespace, tasks: list[Task]) -> None:
    """Run those that are not there yet, print the table; SystemExit if some failed."""
    there = read_runs(args.out)
    todo = [task for task in tasks if task.find(args.out) is None]
    print(f'{args.out} has {len(tasks) - len(todo)} of {len(tasks)} runs', flush=True)
    for name, settings in {task.name: task.settings for task in todo}.items():
        old = sum(run['config'] == name and run['settings'] != settings for run in there)
        if old:
            print(f'{name}: {old} runs there have other settings, and go with the first new one')
    runs, failed = Runs(args), {}
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(
        f'error: ended by SIGTERM; {how_to_go_on(args, tasks)}'))
    with ThreadPoolExecutor(args.jobs) as pool:
        jobs = {pool.submit(runs, task): task for task in todo}
        try:
            for job in as_completed(jobs):
                try:
                    job.result()
                    text = 'done'
                except (RuntimeError, OSError, TALDataError) as error:
                    text = str(error)
                    failed[job] = f'{jobs[job].title}: {error}'
                print(f'{jobs[job].title}: {text}', flush=True)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            runs.stop()
            raise
    names = {task.name for task in tasks}
    print(runs_table([run for run in read_runs(args.out) if run['config'] in names]), flush=True)
    # what was in other hands may be there by now
    lines = [line for job, line in failed.items() if jobs[job].find(args.out) is None]
    if lines:
        raise SystemExit('\n'.join([
            f'error: {len(lines)} of {len(tasks)} runs are not done:', *lines]))


if __name__ == '__main__':
    main()
