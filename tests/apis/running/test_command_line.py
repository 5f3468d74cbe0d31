"""What the command lines of training and testing share; tests/e2e runs the programs."""
import argparse
import os
import subprocess
import sys

import pytest
import torch
import torch.distributed as dist
from mmengine.config import Config

from cltdr_mm.apis.running import command_line
from cltdr_mm.datasets import TALDataError
from cltdr_mm.engine import work_dir
from cltdr_mm.utils import Problem


@pytest.fixture
def parse(monkeypatch):
    def parsed(*words):
        monkeypatch.setattr('sys.argv', ['tool', *map(str, words)])
        return command_line.parse_running(command_line.running_arguments(argparse.ArgumentParser()))
    monkeypatch.delenv('LOCAL_RANK', raising=False)
    yield parsed
    os.environ.pop('LOCAL_RANK', None)


def test_an_absent_config_ends_the_program(parse, capsys):
    with pytest.raises(SystemExit):
        parse('none.py')
    assert 'there is no config none.py' in capsys.readouterr().err


def test_config_with_its_changes(parse, tmp_path):
    (tmp_path / 'mine.py').write_text('a = dict(b=1, c=2)\n')
    args = parse(tmp_path / 'mine.py', '--local-rank', 3, '--cfg-options', 'a.b=[4,5]')
    assert os.environ['LOCAL_RANK'] == '3'
    cfg = command_line.read_config(args)
    assert cfg.a == dict(b=[4, 5], c=2) and cfg.work_dir == os.path.join('work_dirs', 'mine')


class FakeRunner:
    """What `run` asks of a Runner; `work` is what it does."""

    @classmethod
    def from_cfg(cls, cfg):
        assert cfg.launcher == 'none'
        return cls()

    def register_hook(self, hook):
        self.hook = hook

    def train(self):
        self.work()

    test = train


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Run a task whose Runner does `work`, given it, in a work directory of its own."""
    def started(work, task='train'):
        monkeypatch.setattr(FakeRunner, 'work', work, raising=False)
        monkeypatch.setattr(command_line, 'QuietRunner', FakeRunner)
        command_line.run(Config(dict(work_dir=str(tmp_path / 'work'))), task, 'none')
    return started


@pytest.mark.parametrize('task', ['train', 'test'])
def test_wrong_data_end_the_program_with_what_to_mend(run, task):
    def work(self):
        raise TALDataError([Problem('a.json', 'v0', 'fps', 'is missing')], 'data')

    with pytest.raises(SystemExit, match=r"^error: data: a\.json: video 'v0': fps: is missing$"):
        run(work, task)


def test_ranks_leave_together(run):
    """One that ended with its process group open sometimes aborted and took the others along."""
    run(lambda self: dist.init_process_group('gloo', store=dist.HashStore(), rank=0, world_size=1))
    assert not dist.is_initialized()


def test_faults_of_the_code_keep_their_traceback_once_a_run_works(run):
    def build(self):
        raise AttributeError('no such part')

    def work(self):
        self.hook.before_test_epoch(self)
        raise AttributeError('no such part')

    with pytest.raises(SystemExit, match='error: AttributeError: no such part .CLTDR_DEBUG=1'):
        run(build)
    with pytest.raises(AttributeError):
        run(work)


@pytest.mark.parametrize('error, line', [
    (OSError(28, 'No space left on device', 'w/epoch_2.pth'),
     'error: w/epoch_2.pth: No space left on device'),
    (FloatingPointError('the loss is nan'), 'error: the loss is nan')])
def test_what_ends_a_training_says_where_it_goes_on(run, tmp_path, error, line):
    def work(self):
        self.hook.before_train_epoch(self)
        raise error

    with pytest.raises(SystemExit, match=f'^{line}; no checkpoint is in .*work yet$'):
        run(work)
    torch.save({}, tmp_path / 'work' / 'epoch_1.pth')
    with pytest.raises(SystemExit, match=rf'^{line}; .*epoch_1\.pth is whole: .*--resume'):
        run(work)


def test_a_second_training_in_a_work_directory_is_refused(run, tmp_path, monkeypatch):
    code = ('import sys; from cltdr_mm.engine.work_dir import hold_work_dir\n'
            f'lock = hold_work_dir({str(tmp_path / "work")!r}); print("held", flush=True)\n'
            'sys.stdin.read()')
    monkeypatch.setattr(work_dir, 'PATIENCE', 0.)
    with subprocess.Popen([sys.executable, '-c', code], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == 'held\n'
        with pytest.raises(SystemExit, match='another training writes to this work directory'):
            run(lambda self: None)
        run(lambda self: None, 'test')  # which writes beside it
        other.kill()
    run(lambda self: None)


def test_what_is_written_over_is_said_when_nothing_refuses_the_training(run, tmp_path, mm_log):
    def refused(self):
        raise TALDataError.of('data', 'a.json', 'fps', 'is missing')

    def begun(self):
        self.cfg = Config(dict(work_dir=str(tmp_path / 'work')))
        self.hook.before_train(self)

    (tmp_path / 'work').mkdir()
    torch.save({}, tmp_path / 'work' / 'epoch_1.pth')
    with pytest.raises(SystemExit, match='fps'):
        run(refused)
    assert 'write over' not in mm_log.text
    run(begun)
    assert 'checkpoints of an earlier training, which this one will write over' in mm_log.text


def test_devices():
    assert command_line.usable_device('cpu') == 'cpu'
    with pytest.raises(argparse.ArgumentTypeError, match="'gpu' cannot be used here"):
        command_line.usable_device('gpu')


def test_a_wrong_evaluator_is_found_with_the_config(parse, tmp_path):
    (tmp_path / 'mine.py').write_text("val_evaluator = ['TALMetric']\n")
    with pytest.raises(ValueError, match='val_evaluator must be the config of a metric'):
        command_line.read_config(parse(tmp_path / 'mine.py'))
