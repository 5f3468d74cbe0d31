"""How programs end."""
import os

import pytest
from mmaction.registry import MODELS
from mmengine.config import Config

from cltdr_mm.utils import TALDataError, exit_on_error


def ending(error, **kwargs):
    with pytest.raises(SystemExit) as end, exit_on_error(**kwargs):
        raise error
    return end.value.code


@pytest.mark.parametrize('error, line', [
    (TALDataError.of('data', 'a.json', 'fps', 'is missing', 'v0'),
     "error: data: a.json: video 'v0': fps: is missing"),
    (FileNotFoundError(2, 'No such file or directory', 'x/y.npy'),
     f'error: x/y.npy: No such file or directory, looked for from {os.getcwd()}'),
    (FileNotFoundError(2, 'No such file or directory', '/x/y.npy'),
     'error: /x/y.npy: No such file or directory'),
    (ValueError('two\n  lines'), 'error: two lines'),
    (KeyError('no such key'), 'error: no such key'),
    (KeyError('key'), 'error: KeyError: key (CLTDR_DEBUG=1 shows where)'),
    (TypeError("'<=' not supported"),
     "error: TypeError: '<=' not supported (CLTDR_DEBUG=1 shows where)")])
def test_errors_of_the_input_become_a_line(error, line):
    assert ending(error) == line


def test_advice_follows():
    assert ending(OSError('full'), advice=lambda: 'make room') == 'error: full; make room'


def test_ctrl_c(capsys):
    assert ending(KeyboardInterrupt(), advice=lambda: 'go on with --resume') == 130
    assert capsys.readouterr().err == 'stopped; go on with --resume\n'


def test_ctrl_c_that_a_library_caught():
    def library():
        try:
            raise KeyboardInterrupt
        except BaseException:  # as MMEngine does while it formats a config
            raise SyntaxError('failed to format the config') from None

    with pytest.raises(SystemExit) as end, exit_on_error(kinds=(OSError, )):
        library()
    assert end.value.code == 130


def test_other_errors_keep_their_traceback():
    for error in (RuntimeError('shapes'), AssertionError()):
        with pytest.raises(type(error)), exit_on_error():
            raise error
    with pytest.raises(ValueError), exit_on_error(kinds=lambda: (OSError, )):
        raise ValueError


@pytest.mark.parametrize('value, through', [('1', True), ('0', False), ('', False)])
def test_the_debug_switch(monkeypatch, value, through):
    monkeypatch.setenv('CLTDR_DEBUG', value)
    with pytest.raises(ValueError if through else SystemExit), exit_on_error():
        raise ValueError('x')


def test_as_a_decorator():
    @exit_on_error()
    def main(argv=None):
        raise ValueError(f'bad {argv}')

    with pytest.raises(SystemExit, match='error: bad 3'):
        main(3)


def test_several_problems_are_a_line_each():
    problems = [problem for field in ('fps', 'duration') for problem in
                TALDataError.of('data', 'a.json', field, 'is missing').problems]
    assert ending(TALDataError(problems, 'data')).splitlines() == [
        'error: data: 2 problems', '  a.json: fps: is missing', '  a.json: duration: is missing']


def test_what_a_data_worker_hands_over_is_its_message():
    error = TALDataError('Caught TALDataError in DataLoader worker process 0.\nOriginal Traceback '
                         '(most recent call last):\n  File "x.py"\ncltdr_mm.utils.problems.'
                         'TALDataError: loading: a.npy: feature: is empty\n')
    assert ending(error) == 'error: loading: a.npy: feature: is empty'


@pytest.mark.parametrize('number, error, line', [
    (17, 'File exists', 'is a file, not a folder'), (21, 'Is a directory', 'is a folder, not a fi'),
    (20, 'Not a directory', 'part of this path is a file'), (13, 'Permission denied', 'Permis')])
def test_what_the_system_says_of_a_path(number, error, line):
    assert ending(OSError(number, error, 'a/b')).startswith(f'error: a/b: {line}')


def test_the_place_in_a_config_goes_first():
    cfg = Config(dict(model=dict(type='CLTDRHead', num_classes=0, in_channels=4, num_levels=1)))
    with pytest.raises(SystemExit, match='^error: model: CLTDRHead: num_classes must be positive'):
        with exit_on_error(cfg=cfg):
            MODELS.build(cfg.model)
