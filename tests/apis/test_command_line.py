"""What the command lines of training and testing share; tests/e2e runs the programs."""
import os

import pytest
import torch.distributed as dist
from mmengine.config import Config

from cltdr_mm.apis import command_line
from cltdr_mm.datasets import TALDataError
from cltdr_mm.utils import Problem


@pytest.fixture
def parse(monkeypatch):
    def parsed(*words):
        monkeypatch.setattr('sys.argv', ['tool', *map(str, words)])
        return command_line.parse_running(command_line.running_parser('A tool'))
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


@pytest.mark.parametrize('task', ['train', 'test'])
def test_wrong_data_end_the_program_with_what_to_mend(monkeypatch, task):
    class Runner:
        @classmethod
        def from_cfg(cls, cfg):
            assert cfg.launcher == 'none'
            return cls()

        def work(self):
            raise TALDataError([Problem('a.json', 'v0', 'fps', 'is missing')], 'data')

    setattr(Runner, task, Runner.work)
    monkeypatch.setattr(command_line, 'Runner', Runner)
    with pytest.raises(SystemExit, match=r"error: (.|\n)*a\.json: video 'v0': fps: is missing"):
        command_line.run(Config(), task, 'none')


def test_ranks_leave_together(monkeypatch):
    """One that ended with its process group open sometimes aborted and took the others along."""
    class Runner:
        @classmethod
        def from_cfg(cls, cfg):
            dist.init_process_group('gloo', store=dist.HashStore(), rank=0, world_size=1)
            return cls()

        def train(self):
            assert dist.is_initialized()

    monkeypatch.setattr(command_line, 'Runner', Runner)
    command_line.run(Config(), 'train', 'none')
    assert not dist.is_initialized()
