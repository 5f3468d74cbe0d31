"""Runs the cells of a notebook as Jupyter does, without Jupyter."""
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path


def code_cells(path: Path) -> list[dict]:
    """The cells with code, ``source`` as one string."""
    cells = json.loads(Path(path).read_text('utf-8'))['cells']
    return [dict(cell, source=''.join(cell['source'])) for cell in cells
            if cell['cell_type'] == 'code']


class NotebookRun:
    """Runs cells one after another in a folder.

    A cell is Python, run in one namespace, or commands of the console: lines that start with ``!``,
    in which ``{name}`` stands for a variable.

    Args:
        folder (Path): Where they run; the process has to be there too.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.names: dict = {}
        self.printed: dict[str, str] = {}  # what the commands printed, by their verb

    def __call__(self, source: str) -> None:
        """Run a cell."""
        if not source.startswith('!'):
            exec(compile(source, '<cell>', 'exec'), self.names)
            return
        for line in re.sub(r'\\\n\s*', '', source).splitlines():
            assert line.startswith('!'), f'commands and Python in one cell: {line}'
            self.command(*shlex.split(line[1:].format(**self.names)))

    def command(self, *words) -> str:
        """Run ``cltdr`` with its words; returns what it printed."""
        program, verb, *rest = map(str, words)
        assert program == 'cltdr'
        done = subprocess.run(
            [sys.executable, '-m', 'cltdr_mm', verb, *rest], cwd=self.folder, text=True,
            env=dict(os.environ, OMP_NUM_THREADS='1'), stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=1200)
        assert done.returncode == 0, done.stdout[-8000:]
        self.printed[verb] = done.stdout
        return done.stdout
