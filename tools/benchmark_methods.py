#!/usr/bin/env python
"""Train and test configs over several seeds, print one table.

``python tools/benchmark_methods.py configs/cltdr_hapt.py configs/tridet_hapt.py --seeds 0 1 2``
"""
import argparse
import copy
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from benchmark_figures import benchmark_table, config_differences, read_run, training_config
from mmengine.config import Config

from cltdr_mm.apis.running.command_line import read_config, running_arguments
from cltdr_mm.engine import runtime
from cltdr_mm.utils import exit_on_error, out_file, out_folder, write_json

TOOLS = Path(__file__).resolve().parent


def parse_args(argv=None) -> argparse.Namespace:
    """Read the command line.

    Returns:
        argparse.Namespace: Its arguments.
    """
    parser = argparse.ArgumentParser(description='Compare methods under one recipe')
    parser.add_argument('configs', nargs='+', help='config files; NAME=FILE names a row')
    parser.add_argument('--seeds', nargs='+', type=int, default=[0, 1, 2], help='random seeds')
    parser.add_argument('--work-dir', type=out_folder, default='work_dirs/benchmark',
                        help='folder of all runs; runs that are complete there are not repeated, '
                        'and have to be of the same settings')
    parser.add_argument('--jobs', type=int, default=1, help='runs at a time')
    parser.add_argument('--threads', type=int, help='threads of each run (default: all cores '
                        'over --jobs)')
    parser.add_argument('--cfg-options', nargs='+', default=[],
                        help='changes to every config, as for tools/train.py')
    parser.add_argument('--out', type=out_file, help='write the figures to this JSON file')
    args = parser.parse_args(argv)
    if args.jobs < 1:
        parser.error(f'--jobs must be at least 1, got {args.jobs}')
    if min(args.seeds) < 0 or len(set(args.seeds)) < len(args.seeds):
        parser.error(f'--seeds must be different numbers from 0 on, got {args.seeds}')
    return args


def asked_config(config: str, options: list[str]) -> Config:
    """Resolve a config as tools/train.py will, and refuse one that cannot be compared.

    Args:
        config (str): Config file.
        options (list[str]): Values of ``--cfg-options``.

    Returns:
        Config: What it trains with, but for the seed.

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


def check_finished(cfg: Config, seed: int, work_dir: Path) -> list[str]:
    """Compare a run that is complete with what is asked for.

    Args:
        cfg (Config): From :func:`asked_config`.
        seed (int): Random seed.
        work_dir (Path): Folder of the run.

    Returns:
        list[str]: What speaks against its figures, empty if they can be used, or if there are
        none yet.
    """
    if not (work_dir / 'metrics.json').is_file():
        return []
    runtime.set_randomness(cfg, seed)
    try:
        lines = config_differences(training_config(work_dir).to_dict(), cfg.to_dict())
    except FileNotFoundError as error:
        lines = [str(error)]
    return [f'{work_dir}: {line}' for line in lines]


def run(config: str, name: str, seed: int, args: argparse.Namespace) -> None:
    """Train and test one config with one seed, unless its figures are there already.

    Args:
        config (str): Config file.
        name (str): Name of the row.
        seed (int): Random seed.
        args (argparse.Namespace): From :func:`parse_args`.

    Raises:
        RuntimeError: If training or testing fails; names the log.
    """
    work_dir = Path(args.work_dir, name, f'seed{seed}')
    if (work_dir / 'metrics.json').is_file():
        return
    work_dir.mkdir(parents=True, exist_ok=True)
    threads = args.threads or max(1, (os.cpu_count() or 1) // args.jobs)
    env = dict(os.environ, OMP_NUM_THREADS=str(threads), MKL_NUM_THREADS=str(threads))
    common = ['--work-dir', str(work_dir)]
    options = ['--cfg-options', *args.cfg_options] if args.cfg_options else []
    commands = [
        ['train.py', config, *common, '--seed', str(seed), '--no-validate', *options],
        ['test.py', config, str(work_dir), *common,
         '--out', str(work_dir), *options],
    ]
    log = work_dir / 'output.log'
    with open(log, 'w') as stream:
        for command in commands:
            done = subprocess.run([sys.executable, str(TOOLS / command[0]), *command[1:]],
                                  stdout=stream, stderr=subprocess.STDOUT, env=env)
            if done.returncode:
                raise RuntimeError(f'tools/{command[0]} failed, see {log}')


@exit_on_error()
def main(argv=None) -> None:
    """Run everything, print the table, write the figures.

    Raises:
        SystemExit: Before any training if something cannot be compared; at the end if runs
            failed, which are named.
    """
    args = parse_args(argv)
    rows = []
    for item in args.configs:
        name, _, config = item.rpartition('=')
        rows.append((name or Path(config).stem, config))
    twice = sorted({name for name, _ in rows if [row for row, _ in rows].count(name) > 1})
    if twice:
        raise ValueError(f'{", ".join(twice)}: more than one config has this name; say NAME=FILE')
    others = []
    for name, config in rows:
        cfg = asked_config(config, args.cfg_options)
        for seed in args.seeds:
            others += check_finished(cfg, seed, Path(args.work_dir, name, f'seed{seed}'))
    if others:
        raise SystemExit('\n'.join(['error: finished runs of other settings:', *others,
                                    'name another --work-dir, or remove these runs']))
    figures = {name: [None] * len(args.seeds) for name, _ in rows}
    failed = []
    with ThreadPoolExecutor(args.jobs) as pool:
        jobs = {pool.submit(run, config, name, seed, args): (name, column)
                for column, seed in enumerate(args.seeds) for name, config in rows}
        for job in as_completed(jobs):
            name, column = jobs[job]
            try:
                job.result()
                figures[name][column] = read_run(
                    Path(args.work_dir, name, f'seed{args.seeds[column]}'))
            except (RuntimeError, FileNotFoundError) as error:
                failed.append(f'{name}, seed {args.seeds[column]}: {error}')
                print(failed[-1], file=sys.stderr, flush=True)
    print(benchmark_table(figures), flush=True)
    if args.out:
        write_json(dict(seeds=args.seeds, figures=figures), args.out, indent=1)
    if failed:
        raise SystemExit('\n'.join([f'error: {len(failed)} of {len(jobs)} runs failed:', *failed]))


if __name__ == '__main__':
    main()
