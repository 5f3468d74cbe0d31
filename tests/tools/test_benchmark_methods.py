"""What the benchmark refuses before it trains; tests/e2e/test_benchmark.py has it train, and
test_benchmark_figures.py reads what it prints."""
import concurrent.futures
import runpy
import subprocess
import sys
from threading import Event

import pytest


@pytest.fixture
def benchmark(project_root, monkeypatch, tmp_path):
    """The command line, with a work directory; what it raises is what it prints."""
    def run(*args):
        monkeypatch.setattr(sys, 'argv', [
            'benchmark_methods.py', *map(str, args), '--work-dir', str(tmp_path / 'runs')])
        runpy.run_path(str(project_root / 'tools' / 'benchmark_methods.py'), run_name='__main__')
    yield run
    assert not (tmp_path / 'runs').exists(), 'it has begun to train'


def test_two_configs_of_one_name_are_refused(benchmark):
    # they would share a folder, and the second would be given the first one's figures
    with pytest.raises(SystemExit, match=r'^error: thumos_i3d: more than one config .* NAME=FILE'):
        benchmark('release/tridet/thumos_i3d.py', 'own=a.py',
                  'release/actionformer/thumos_i3d.py')


def test_a_config_that_is_not_there(benchmark, project_root):
    with pytest.raises(SystemExit, match='^error: there is no config nowhere.py$'):
        benchmark(project_root / 'configs/cltdr_hapt.py', 'nowhere.py')


def test_a_fold_that_was_not_made(benchmark, project_root):
    with pytest.raises(SystemExit, match=r'--fold 7: there is no .*annotations_fold7\.json, '):
        benchmark(project_root / 'configs/cltdr_hapt.py', '--folds', 7)


def test_only_talmetric_can_be_compared(benchmark, project_root, tmp_path):
    good = project_root / 'configs/cltdr_hapt.py'
    with pytest.raises(SystemExit, match=r'bmn_hapt.py: only configs judged by TALMetric .* is '
                                         r'ProposalMetric$'):
        benchmark(good, project_root / 'configs/encoded/bmn_hapt.py')
    # the first metric that can write results does, and its are what would be read
    proposals = dict(type='ProposalMetric', ann_file='data/hapt/annotations.json')
    (tmp_path / 'both.py').write_text(
        f'_base_ = {str(good)!r}\n'
        f"test_evaluator = [{proposals!r}, dict(type='TALMetric', ann_file='a.json')]\n")
    with pytest.raises(SystemExit, match=r'both.py: only configs judged by TALMetric'):
        benchmark(tmp_path / 'both.py')


class Program:
    """A training that goes on until it is told to end."""

    def __init__(self, *args, **kwargs):
        self.ended = Event()

    def wait(self):
        assert self.ended.wait(60)
        return 1

    def terminate(self):
        self.ended.set()


def test_ctrl_c_says_what_is_kept(project_root, tmp_path, monkeypatch, capsys):
    def interrupted(jobs):
        raise KeyboardInterrupt

    (tmp_path / 'a.json').touch()
    (tmp_path / 'mine.py').write_text(
        f"_base_ = {str(project_root / 'configs/cltdr_hapt.py')!r}\n"
        f"test_evaluator = dict(ann_file={str(tmp_path / 'a.json')!r})\n")
    monkeypatch.setattr(sys, 'argv', ['benchmark_methods.py', str(tmp_path / 'mine.py'),
                                      '--seeds', '0', '1', '--work-dir', str(tmp_path / 'runs')])
    monkeypatch.setattr(subprocess, 'Popen', Program)
    monkeypatch.setattr(concurrent.futures, 'as_completed', interrupted)
    with pytest.raises(SystemExit) as stopped:
        runpy.run_path(str(project_root / 'tools' / 'benchmark_methods.py'), run_name='__main__')
    assert stopped.value.code == 130
    assert 'stopped; ' in (said := capsys.readouterr().err)
    assert 'runs.json keeps 0 of 2 runs; the same command goes on with the rest' in said
