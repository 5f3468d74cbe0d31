"""What a run shows, and what only its log file gets."""
import io
import logging
from pathlib import Path

import pytest
import torch
from mmengine.runner import Runner
from rich.console import Console
from torch import nn

from cltdr_mm.engine.hooks.screen import ScreenHook
from cltdr_mm.engine.screen import (
    QuietRunner,
    Screen,
    ScreenHandler,
    TALRunner,
    data_line,
    model_line,
    seconds_text,
    short_path,
)


@pytest.fixture
def quiet(project_root, tmp_path):
    """Build a runner of the toy model that speaks to a person."""
    from toy import toy_config

    def build(kind=QuietRunner, **kwargs):
        cfg = toy_config(project_root, tmp_path / 'work', **kwargs)
        cfg.experiment_name = f'{tmp_path.name}_{id(cfg)}'
        runner = kind.from_cfg(cfg)
        if kind is QuietRunner:
            runner.register_hook(ScreenHook(runner.screen))
        return runner

    return build


def log_of(runner) -> str:
    return ''.join(path.read_text() for path in Path(runner.work_dir).glob('*/*.log'))


@pytest.mark.filterwarnings('error::UserWarning', 'ignore:Fail to import')
def test_a_training_shows_what_matters_and_logs_the_rest(quiet, capsys):
    runner = quiet(epochs=3)
    runner.train()
    out, log = capsys.readouterr().out, log_of(runner)
    for text in ('System environment', 'Config:', 'Hooks will be executed', 'Epoch(train)'):
        assert text in log and text not in out
    lines = out.splitlines()
    assert 'training    10 samples' in lines
    assert 'model       ToyModel, 0.00 M parameters, on cpu' in lines
    assert 'length      3 epochs of 5 steps, 2 samples a step' in lines
    steps = [line for line in lines if line.startswith('epoch ')]
    assert [line.split('  ')[0] for line in steps] == [
        f'epoch {e}/3, step 5/5' for e in (1, 2, 3)]
    assert all(' loss ' in line and ' lr ' in line and line.endswith(' left') for line in steps)
    assert 'validated after epoch 1' in lines and '    the best so far: ' \
        'best_average_mAP_epoch_1.pth' in lines
    # a metric without texts of its own
    assert sum(line.startswith('    average_mAP 0.') and line.endswith('samples 10')
               for line in lines) == 3
    assert lines[-1].startswith('done in 0:00:')
    assert 'deprecated' not in out  # MMEngine of its own parts


def test_the_runner_of_mmengine_prints_as_ever(quiet, capsys):
    for kind in (Runner, TALRunner):
        quiet(kind, epochs=1).train()
        out = capsys.readouterr().out
        assert 'System environment' in out and 'Epoch(train)' in out


def test_a_resumed_training_says_so_before_it_validates(quiet, capsys):
    quiet(epochs=1).train()
    capsys.readouterr()
    path = str(Path(quiet(epochs=1).work_dir) / 'epoch_1.pth')
    quiet(epochs=2, resume=True, load_from=path).train()
    out = capsys.readouterr().out
    assert 'Loads checkpoint' not in out
    resumed, validated = out.index(f'resumed     after epoch 1, from {path}'), out.index(
        'validated after epoch 1')
    assert resumed < validated < out.index('epoch 2/2')
    assert out.count('the best so far') == out.count('the best so far: best_average_mAP_epoch_2')


def test_a_test_leaves_the_config_of_the_training_alone(quiet, capsys):
    runner = quiet(epochs=1)
    runner.train()
    folder = Path(runner.work_dir)
    configs = {path: path.read_text() for path in folder.glob('*.py')}
    assert configs
    capsys.readouterr()
    tested = quiet(load_from=str(folder / 'epoch_1.pth'), train_cfg=None, train_dataloader=None,
                   optim_wrapper=None, param_scheduler=None)
    tested.test()
    assert {path: path.read_text() for path in folder.glob('*.py')} == configs
    assert list(Path(tested.log_dir).glob('*.py'))
    out = capsys.readouterr().out
    assert 'test        10 samples\n' in out and 'average_mAP 0.' in out
    assert f'weights     {folder}/epoch_1.pth' in out


def screen_of(terminal: bool, every: float = 60.) -> tuple[Screen, io.StringIO]:
    file = io.StringIO()
    return Screen(Console(file=file, force_terminal=terminal, width=100), every), file


def test_progress_without_a_terminal_is_a_line_now_and_then():
    screen, file = screen_of(False)
    for done in range(1, 101):
        screen.progress(f'step {done}', done, 100, 'soon', last=done % 50 == 0)
    screen.close()
    assert file.getvalue() == 'step 50  soon\nstep 100  soon\n'
    screen, file = screen_of(False, every=0.)
    screen.progress('step 1', 1, 9)
    assert file.getvalue() == 'step 1\n'


def test_progress_on_a_terminal_is_one_line_that_goes_away():
    screen, file = screen_of(True)
    screen.progress('epoch 1/2', 5, 10, '0:01:00 left', last=True)
    screen.say('a line')
    screen.close()
    text = file.getvalue()
    assert 'epoch 1/2' in text and ' 50%' in text and '0:01:00 left' in text and 'a line' in text
    assert '\x1b[?25l' in text and text.rindex('\x1b[?25h') > text.index('\x1b[?25l')  # cursor
    screen.close()  # there is nothing left to close
    assert file.getvalue() == text


@pytest.mark.parametrize('level, message, shown', [
    (logging.INFO, 'Config: ...', ''),
    (logging.WARNING, 'videos [a] are missing', 'warning: videos [a] are missing\n'),
    (logging.ERROR, 'no', 'error: no\n'),
    (logging.WARNING, '"FileClient" will be deprecated in future. Please ...', '')])
def test_what_of_the_log_is_shown(level, message, shown):
    screen, file = screen_of(False)
    logger = logging.Logger('test')
    logger.addHandler(ScreenHandler(screen))
    logger.log(level, message)
    logger.log(level, message)  # a warning is shown once
    assert file.getvalue() == shown * (2 if level == logging.ERROR else 1)


def test_a_screen_that_is_gone_does_not_end_the_work(capsys):
    screen, file = screen_of(False)
    logger = logging.Logger('test')
    logger.addHandler(ScreenHandler(screen))
    file.close()
    logger.warning('nobody reads this')
    assert 'closed file' in capsys.readouterr().err  # as Python's own handlers say it


class Data(list):
    metainfo = dict(classes=('a', 'b'))
    subset = 'train'

    def get_data_info(self, index):
        return self[index]


def test_a_data_set_in_a_line():
    data = Data([dict(video_name='v', gt_labels=[0, 1], num_steps=1200),
                 dict(video_name='w', gt_labels=[1], num_steps=34)])
    assert data_line(data) == ("2 videos, 3 instances, 2 classes, 1,234 feature steps "
                               "(subset 'train')")
    windows = Data([dict(video_name='v', gt_labels=[0], num_steps=99, window_index=i,
                         window_size=50) for i in range(2)])
    assert data_line(windows).startswith(
        '1 videos, 2 windows, 2 instances in windows, ')
    assert '100 feature steps' in data_line(windows)
    data[0]['num_steps'] = None  # nobody looked at the features
    assert 'steps' not in data_line(data)
    assert data_line([1, 2, 3]) == '3 samples'


def test_a_model_in_a_line():
    model = nn.Module()
    model.backbone, model.head = nn.Linear(1000, 1000), nn.ReLU()
    assert model_line(model) == 'Module of Linear and ReLU, 1.00 M parameters, on cpu'
    assert model_line(model.to(torch.device('meta'))).endswith('on meta')


def test_durations():
    assert [seconds_text(s) for s in (0.2, 59.6, 3723)] == ['0:00:00', '0:01:00', '1:02:03']


def test_paths_as_seen_from_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert short_path(tmp_path / 'work' / 'a.pth') == 'work/a.pth'
    assert short_path(tmp_path.parent) == str(tmp_path.parent)
    assert short_path('work/a.pth') == 'work/a.pth'
