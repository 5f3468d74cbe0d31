#!/usr/bin/env python
"""Train and test configs over several seeds, print one table.

``python tools/benchmark_methods.py configs/cltdr_hapt.py configs/tridet_hapt.py --seeds 0 1 2``
"""
import argparse
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cltdr_mm.evaluation.benchmark import benchmark_table, read_run

TOOLS = Path(__file__).resolve().parent


def parse_args() -> argparse.Namespace:
    """Read the command line.

    Returns:
        argparse.Namespace: Its arguments.
    """
    parser = argparse.ArgumentParser(description='Compare methods under one recipe')
    parser.add_argument('configs', nargs='+', help='config files; NAME=FILE names a row')
    parser.add_argument('--seeds', nargs='+', type=int, default=[0, 1, 2], help='random seeds')
    parser.add_argument('--work-dir', default='work_dirs/benchmark', help='folder of all runs; '
                        'runs that are complete there are not repeated')
    parser.add_argument('--jobs', type=int, default=1, help='runs at a time')
    parser.add_argument('--threads', type=int, help='threads of each run (default: all cores '
                        'over --jobs)')
    parser.add_argument('--cfg-options', nargs='+', default=[],
                        help='changes to every config, as for tools/train.py')
    parser.add_argument('--out', help='write the figures to this JSON file')
    return parser.parse_args()


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
                raise RuntimeError(f'{name}, seed {seed}: tools/{command[0]} failed, see {log}')


def main() -> None:
    """Run everything, print the table, write the figures."""
    args = parse_args()
    rows = []
    for item in args.configs:
        name, _, config = item.rpartition('=')
        rows.append((name or Path(config).stem, config))
    twice = sorted({name for name, _ in rows if [row for row, _ in rows].count(name) > 1})
    if twice:
        raise SystemExit(f'{", ".join(twice)}: more than one config has this name; say NAME=FILE')
    with ThreadPoolExecutor(args.jobs) as pool:
        jobs = [pool.submit(run, config, name, seed, args)
                for seed in args.seeds for name, config in rows]
        for job in jobs:
            job.result()
    figures = {name: [read_run(Path(args.work_dir, name, f'seed{seed}'))
                      for seed in args.seeds] for name, _ in rows}
    print(benchmark_table(figures))
    if args.out:
        Path(args.out).write_text(json.dumps(dict(seeds=args.seeds, figures=figures), indent=1))


if __name__ == '__main__':
    main()
