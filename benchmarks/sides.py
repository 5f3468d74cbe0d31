"""Two checkouts of the project, each with a process of its own, for `compare.py`."""
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WORKER = Path(__file__).resolve().with_name('side_worker.py')


def git(*args: str) -> str:
    """Run git in this project."""
    done = subprocess.run(['git', '-C', str(ROOT), *args], check=True, capture_output=True,
                          text=True)
    return done.stdout.strip()


@contextlib.contextmanager
def checkout(revision: str):
    """Another revision in a temporary folder, which is removed afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'revision'
        git('worktree', 'add', '--detach', str(path), revision)
        try:
            yield path
        finally:
            git('worktree', 'remove', '--force', str(path))


class Side:
    """A process that imports the library of one checkout.

    Args:
        name (str): How errors call it.
        root (Path): The checkout.
        threads (int): Threads of its operators.
        exact_memory (bool): Whether every large tensor gets a mapping of its own and returns it
            at once; else a peak is that of glibc's heaps, not of the tensors. Slower, so that it
            is for measuring memory only. Defaults to False.

    Raises:
        RuntimeError: If the process imports another copy of the library.
    """

    def __init__(self, name: str, root: Path, threads: int, exact_memory: bool = False) -> None:
        self.name, self.root = name, root
        env = dict(os.environ, PYTHONPATH=str(root), OMP_NUM_THREADS=str(threads))
        if exact_memory:
            env['MALLOC_MMAP_THRESHOLD_'] = '65536'
        self.process = subprocess.Popen([sys.executable, str(WORKER)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, env=env, cwd=root)
        file = self.ask('hello', threads=threads)
        if root.resolve() not in Path(file).resolve().parents:
            self.__exit__()
            raise RuntimeError(f'{name} imported {file}, not the library in {root}')

    def ask(self, what: str, **kwargs):
        """Have something done and return the answer.

        Raises:
            RuntimeError: If it failed there.
        """
        with contextlib.suppress(BrokenPipeError):  # it ended: there will be no answer
            self.process.stdin.write(json.dumps(dict(do=what, **kwargs)) + '\n')
            self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f'{self.name} ended with {self.process.wait()}')
        answer = json.loads(line)
        if 'error' in answer:
            raise RuntimeError(f'{self.name} failed:\n{answer["error"]}')
        return answer['result']

    def config(self, name: str) -> str:
        """Path of this side's own copy of a config."""
        return str(self.root / name)

    def __enter__(self) -> 'Side':
        return self

    def __exit__(self, *_) -> None:
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
