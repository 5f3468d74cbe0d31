"""Mistakes at the command line, made within this process: starting a program takes seconds."""
import importlib.util
import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Union

import numpy as np
import pytest
import torch
from mmengine.utils import ManagerMixin

ROOT = Path(__file__).resolve().parents[2]


class Mistake(NamedTuple):
    """One kind of mistake.

    Args:
        name (str): What is wrong.
        make (str | dict | Callable): How to make it, in a copy of the workplace: what to change in
            its config (as ``own.py``), the contents of files by name, or a function of the folder;
            '' where the command is enough.
        command (str): The tool below ``tools/``, and its arguments.
        words (tuple[str, ...] | str): What the message must say; ``{folder}`` is that folder.
    """

    name: str
    make: Union[str, dict, Callable]
    command: str
    words: Union[tuple, str]


def each(mistakes):
    """Decorate a test with a table of mistakes, given by name."""
    mistakes = [Mistake(*item) for item in mistakes]
    return pytest.mark.parametrize('mistake', mistakes, ids=[item.name for item in mistakes])


def main_of(tool: str) -> Callable:
    """Function ``main`` of a tool, such as ``'analysis_tools/plot_curves'``."""
    spec = importlib.util.spec_from_file_location(tool.replace('/', '_'),
                                                  ROOT / 'tools' / f'{tool}.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main


def forget_runs() -> None:
    """Make MMEngine forget loggers and visualizers, which it shares by the second of a start."""
    kinds = [ManagerMixin]
    while kinds:
        kind = kinds.pop()
        kind._instance_dict.clear()
        kinds += kind.__subclasses__()


def refuse(mistake: Mistake, folder: Path, capsys) -> None:
    """Make a mistake in a folder, and hold the end of the program to its promises.

    It ends with one line (argparse may tell the usage before it; of several problems in data there
    is a line each), which says what is wrong, before anything is trained or written, but for the
    log of a run.
    """
    if callable(mistake.make):
        mistake.make(folder)
    elif mistake.make:
        files = mistake.make if isinstance(mistake.make, dict) else {
            'own.py': f"_base_ = './config.py'\n{mistake.make}\n"}
        for name, text in files.items():
            (folder / name).write_text(text)
    before = contents(folder)
    tool, *argv = shlex.split(mistake.command)
    capsys.readouterr()
    with pytest.raises(SystemExit) as end:
        main_of(tool)(argv)
    out, err = capsys.readouterr()
    if isinstance(end.value.code, str):  # Python prints it, and exits with 1
        message = end.value.code
        lines = message.splitlines()
        assert message.startswith('error: ')
        several = 'problems' in lines[0] and all(line.startswith('  ') for line in lines[1:])
        assert len(lines) == 1 or several or 'finished runs' in lines[0], message
    else:
        assert end.value.code == 2, err
        *usage, message = [line for line in err.splitlines() if line.strip()]
        assert ': error: ' in message
        assert all(line.startswith(('usage: ', '  ')) for line in usage), err
    assert 'Traceback' not in out + err + message
    new = contents(folder) - before
    assert not [name for name in new if name.endswith('.pth') or not name.startswith('work/')], new
    for log in folder.glob('work/*/*.log'):
        assert 'Epoch(train)' not in log.read_text()
    words = [mistake.words] if isinstance(mistake.words, str) else mistake.words
    for word in words:
        assert word.replace('{folder}', str(folder)) in message, message


def contents(folder: Path) -> set:
    """All files below a folder, by their paths from it."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob('*') if path.is_file()}


def annotations(change: Callable) -> Callable:
    """Mistake in the annotation file: `change` gets its content and its first training video."""
    def make(folder):
        path = folder / 'data' / 'annotations.json'
        content = json.loads(path.read_text())
        change(content, content['database']['train_00000'])
        path.write_text(json.dumps(content))
    return make


def feature(change: Callable) -> Callable:
    """Mistake in the features of a training video: `change` makes other ones of them."""
    def make(folder):
        path = folder / 'data' / 'features' / 'train_00000.npy'
        np.save(path, change(np.load(path)))
    return make


def checkpoint(change: Callable) -> Callable:
    """Mistake in a checkpoint, e.pth: `change` gets the good one and makes what to save."""
    def make(folder):
        content = change(torch.load(folder / 'good.pth', weights_only=False))
        torch.save(content, folder / 'e.pth')
    return make


def with_nan(rows: np.ndarray) -> np.ndarray:
    rows[3, 5] = np.nan
    return rows
