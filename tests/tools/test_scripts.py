"""The shell scripts around train.py and test.py."""
import os
import subprocess
import sys

import pytest

SCRIPTS = ['dist_train.sh', 'dist_test.sh', 'slurm_train.sh', 'slurm_test.sh']


def run(script, *args, **env) -> subprocess.CompletedProcess:
    return subprocess.run([str(script), *args], env=dict(os.environ, **env), text=True,
                          capture_output=True)


@pytest.fixture
def recorder(tmp_path):
    """A program that prints its arguments line by line, as `python` and as `srun`."""
    folder = tmp_path / 'bin'
    folder.mkdir()
    for name in ('srun', 'python'):
        path = folder / name
        path.write_text('#!/bin/sh\nfor a in "$@"; do echo "$a"; done\necho "env $PYTHONPATH"\n')
        path.chmod(0o755)
    return folder


@pytest.mark.parametrize('name', SCRIPTS)
def test_too_few_arguments_print_the_usage(project_root, name):
    done = run(project_root / 'tools' / name)
    assert done.returncode == 2
    assert done.stderr.startswith(f'usage: tools/{name} ') and 'env:' in done.stderr


@pytest.mark.parametrize('name, args, tail', [
    ('dist_train.sh', ['a b.py', '3', '--amp', '--cfg-options', 'x="[1,2]"'],
     ['{tools}/train.py', 'a b.py', '--launcher', 'pytorch', '--amp', '--cfg-options',
      'x="[1,2]"']),
    ('dist_test.sh', ['a.py', 'b c.pth', '3', '--out', 'd.json'],
     ['{tools}/test.py', 'a.py', 'b c.pth', '--launcher', 'pytorch', '--out', 'd.json']),
])
def test_dist(project_root, recorder, name, args, tail):
    done = run(project_root / 'tools' / name, *args, PYTHON=str(recorder / 'python'), PORT='12345',
               PYTHONPATH='')
    assert done.returncode == 0, done.stderr
    *lines, env = done.stdout.splitlines()
    tools = str(project_root / 'tools')
    assert lines[-len(tail):] == [part.format(tools=tools) for part in tail]
    assert lines[:2] == ['-m', 'torch.distributed.run']
    assert {'--nproc_per_node=3', '--master_port=12345', '--nnodes=1',
            '--master_addr=127.0.0.1'} < set(lines)
    assert env == f'env {project_root}'


@pytest.mark.parametrize('name, args, tail', [
    ('slurm_train.sh', ['part', 'job', 'a.py', '--amp'],
     ['{tools}/train.py', 'a.py', '--launcher', 'slurm', '--amp']),
    ('slurm_test.sh', ['part', 'job', 'a.py', 'b.pth', '--out', 'd.json'],
     ['{tools}/test.py', 'a.py', 'b.pth', '--launcher', 'slurm', '--out', 'd.json']),
])
def test_slurm(project_root, recorder, name, args, tail):
    done = run(project_root / 'tools' / name, *args, GPUS='2', SRUN_ARGS='--time=10 --exclusive',
               PATH=f'{recorder}{os.pathsep}{os.environ["PATH"]}', PYTHON=sys.executable)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()[:-1]
    tools = str(project_root / 'tools')
    assert lines[-len(tail) - 2:] == [sys.executable, '-u',
                                      *(part.format(tools=tools) for part in tail)]
    assert {'--ntasks=2', '--ntasks-per-node=2', '--gres=gpu:2', '--job-name=job', '--time=10',
            '--exclusive'} < set(lines)
