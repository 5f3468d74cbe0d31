"""Runs the examples of docs/extend.md and docs/mix.md as they stand."""
import json
import os
import re
import subprocess
import sys

import pytest
from pages import ROOT, blocks, python_blocks

EXTEND, MIX = ROOT / 'docs' / 'extend.md', ROOT / 'docs' / 'mix.md'


def run(command: str, cwd) -> str:
    """Run a line of shell with this Python, return what it prints."""
    env = dict(os.environ, OMP_NUM_THREADS='1',
               PATH=f'{os.path.dirname(sys.executable)}{os.pathsep}{os.environ["PATH"]}')
    done = subprocess.run(command, shell=True, cwd=cwd, env=env, text=True, timeout=600,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, f'{command}\n{done.stdout[-6000:]}'
    return done.stdout


@pytest.fixture(scope='module')
def outputs(tmp_path_factory) -> list:
    """A folder with the files of docs/extend.md in it, and what its commands printed."""
    root = tmp_path_factory.mktemp('outside')
    link, commands = [b.text for b in blocks(EXTEND.read_text('utf-8')) if b.language == 'bash']
    run(link, root)
    for code in python_blocks(EXTEND):
        name = re.match(r'# (projects/\S+\.py)\n', code).group(1)
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code)
    return root, [run(line, root) for line in commands.splitlines()]


def test_files_are_those_announced(outputs):
    root, _ = outputs
    announced = re.search(r'projects/my_tal/\n((?:    .*\n)+)', EXTEND.read_text('utf-8'))
    assert {p.name for p in (root / 'projects' / 'my_tal').glob('*.py')} == set(
        announced.group(1).split())


def test_parts_work(outputs):
    _, (_, checked, *_) = outputs
    found = re.findall(r'^(\w+, \w+): (\d+) detections$', checked, re.M)
    assert [name for name, _ in found] == [
        'DilatedPyramid, CenterLengthHead', 'DilatedPyramid, BoundaryHead',
        'DilatedPyramid, CenterLengthHead', 'RecurrentPyramid, CenterLengthHead',
        'PaddedPyramid, CenterLengthHead']
    assert all(int(number) > 0 for _, number in found)
    assert checked.rstrip().endswith('all checks passed')


def test_backbone_is_short(outputs):
    root, _ = outputs
    lines = (root / 'projects' / 'my_tal' / 'backbone.py').read_text().splitlines()
    assert len(lines) < 60


def test_model_learns(outputs):
    """The planted actions are easy: a model that learns at all finds most of them."""
    root, (*_, trained, _) = outputs
    assert 'epoch 15/15, step 4/4' in trained
    metrics = json.loads((root / 'work_dirs' / 'my_tal' / 'metrics.json').read_text())
    assert metrics['protocol'] == 'thumos14'
    assert metrics['average_mAP'] > 0.5
    results = json.loads((root / 'work_dirs' / 'my_tal' / 'detections.json').read_text())
    assert sorted(results['results']) == [f'kitchen_{i:02d}' for i in range(8, 12)]
    labels = {found['label'] for each in results['results'].values() for found in each}
    assert labels == {'pour', 'stir'}


#: Code of the page and what it is spoiled to; what its check says then.
SPOILED = [
    # the whole table's mean: every video sees the others
    ('backbone', {'layout.zero_gaps(x + y), layout': 'layout.zero_gaps(x + y + x.mean(0)), layout'},
     'depends on its batch'),
    # zero_gaps forgotten at the end of a part, or between two layers that look at neighbours: new
    # biases are 0, so that before training nothing would stand there
    ('backbone', {'layout.zero_gaps(x + y), layout': 'x + y, layout'},
     'the backbone leaves something in the gaps'),
    ('neck', {'layout.zero_gaps(x), layout': 'x, layout'},
     'the neck leaves something in the gaps'),
    ('backbone', {'Conv(channels, channels, 1)': 'Conv(channels, channels, 3)',
                  'y = self.mix(wide.move(y, layout))':
                  'y = self.mix(self.mix(wide.move(y, layout), layout), layout)'},
     'a convolution sees something in the gaps'),
    # gaps narrower than a tap reaches: one check has a dilation of 5
    ('backbone', {'layout.with_gap(max(self.dilation, layout.gap))': 'layout'},
     'depends on its batch'),
    ('wrapped', {'conv(x).relu() * mask[:, None]': 'conv(x).relu()'}, 'depends on its batch'),
    # rows that `reads` does not name are not in the table
    ('head', {"outs.at('boxes', pairs.row)": "outs.at('boxes', pairs.row - 12)"},
     r'IndexError: index \d+ is out of bounds'),
    # `reads` says nothing of the steps around
    ('boundary_head', {'def reads(': 'def around(', 'self.reads(': 'self.around('},
     'decode reads more'),
]


@pytest.mark.parametrize('name, changes, message', SPOILED)
def test_check_notices(outputs, name, changes, message):
    """The page's own check is one that can fail."""
    root, _ = outputs
    path = root / 'projects' / 'my_tal' / f'{name}.py'
    text = spoiled = path.read_text()
    for good, bad in changes.items():
        assert text.count(good) == 1
        spoiled = spoiled.replace(good, bad)
    try:
        path.write_text(spoiled)
        with pytest.raises(AssertionError, match=message):
            run('PYTHONPATH=. python projects/my_tal/check.py', root)
    finally:
        path.write_text(text)


def test_mix(tmp_path):
    """Each block is a program of its own; one process runs them all."""
    codes = python_blocks(MIX)
    assert len(codes) == 10
    program = tmp_path / 'program.py'
    program.write_text('\n'.join(
        f'def block{i}():\n' + ''.join(f'    {line}\n' for line in code.splitlines())
        + f'block{i}()\nprint("done {i}")' for i, code in enumerate(codes)))
    lines = run(f'python {program}', tmp_path).splitlines()
    assert [line for line in lines if line.startswith('done')] == [
        f'done {i}' for i in range(len(codes))]
    # what the page says is printed
    said = re.search(r'^# (\[\(.*\)\])$', codes[0], re.M).group(1)
    assert said in lines
