"""Says of every mutant whether a reader took it or refused it, and what is wrong with either."""
import dataclasses
import logging
import os
import sys
import traceback
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional

import numpy as np
import torch
from fuzzing import generator, pick
from mmengine.logging import MMLogger
from sources import Source

from cltdr_mm.utils import TALDataError

SEED = 0
LONGEST = 2000  # characters of a message
ROOM = 4 * 2**30  # bytes of address space that a reader may take


@dataclass
class Reader:
    """Something that reads files.

    Args:
        sources (dict[str, Source]): Valid files by their name in a folder.
        read (Callable): Reads the folder; what it returns is compared and looked through.
        errors (tuple): What it may raise.
        out (str, optional): What it writes in the folder: not there if it raised.
        names_file (bool): Whether its messages name the file.
        names (tuple): What a message may name in place of the file.
        finite (bool): Whether all numbers that it returns must be finite.
    """

    sources: dict[str, Source]
    read: Callable[[Path], Any]
    errors: tuple = (TALDataError, )
    out: Optional[str] = None
    names_file: bool = True
    names: tuple = ()
    finite: bool = True


@dataclass
class Counts:
    """What became of the mutants of a reader."""

    mutants: int = 0
    read: int = 0
    refused: int = 0
    faults: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def report(self) -> str:
        """One example of every kind of fault, and how often it came up."""
        return '\n'.join(f'{len(texts)} x {kind}\n  {texts[0]}'
                         for kind, texts in self.faults.items())


def judge(name: str, reader: Reader, count: int, folder: Path) -> Counts:
    """Give a reader its valid files, then ``count`` mutants of them.

    Args:
        name (str): The reader's, from which its mutants follow.
        reader (Reader): See there.
        count (int): How many.
        folder (Path): An empty one; the current folder is beside it.

    Returns:
        Counts: With a text for every mutant that was not treated as it should be, by kind.
    """
    for file, source in reader.sources.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(source.whole)
    expected = list(leaves(reader.read(folder)))
    counts = Counts()
    with _little_memory(), _quiet():
        for number in range(count):
            rng = generator(SEED, name, number)
            file = pick(rng, sorted(reader.sources))
            data, harmless = reader.sources[file].mutant(rng)
            (folder / file).write_bytes(data)
            _one(reader, folder, file, expected if harmless else None, counts,
                 f'mutant {number} of {name} ({file})')
            (folder / file).write_bytes(reader.sources[file].whole)
    return counts


def _one(reader: Reader, folder: Path, file: str, expected: Optional[list], counts: Counts,
         title: str) -> None:
    counts.mutants += 1
    if reader.out is not None:
        (folder / reader.out).unlink(missing_ok=True)
    faults = []
    with watched(folder) as touched:
        try:
            value = reader.read(folder)
        except Exception as error:
            counts.refused += 1
            faults += _about_error(error, reader, folder / file)
            if expected is not None:
                faults.append(('refuses a harmless one', str(error)))
            if reader.out is not None and (folder / reader.out).exists():
                faults.append(('writes a file although it refuses', reader.out))
        else:
            counts.read += 1
            found = list(leaves(value))
            if expected is not None and found != expected:
                faults.append(('reads a harmless one as something else', str(found)))
            if reader.finite:
                faults += [('reads what is not finite', str(leaf))
                           for leaf in found if not _finite(leaf)][:1]
    faults += [('runs or writes what it must not', event) for event in touched]
    for path in Path.cwd().iterdir():
        faults.append(('makes files in the current folder', path.name))
        path.rmdir() if path.is_dir() else path.unlink()
    if list(folder.rglob('*.part*')):
        faults.append(('leaves a half-written file', ''))
    for kind, text in faults:
        counts.faults[kind].append(f'{title}: {text[:1000]}')


def _about_error(error: Exception, reader: Reader, path: Path) -> list[tuple[str, str]]:
    """What is wrong with the way in which a mutant is refused."""
    text, faults = str(error), []
    if type(error) not in reader.errors:
        frames = [frame for frame in traceback.extract_tb(error.__traceback__)
                  if '/cltdr_mm/' in frame.filename or '/tests/' in frame.filename]
        where = f'{Path(frames[-1].filename).name}:{frames[-1].lineno} {frames[-1].line}'
        return [(f'raises {type(error).__name__} in {where}', text[:300])]
    if len(text) > LONGEST:
        faults.append((f'a message of more than {LONGEST} characters', text[:300]))
    if reader.names_file and not any(name in text for name in (path.name, *reader.names)):
        faults.append(('a message that does not name the file', text[:300]))
    problems = getattr(error, 'problems', ())
    # a title, the problems, and what to do about all of them
    if len(text.splitlines()) > (1 if len(problems) < 2 else 2 + len(problems)):
        faults.append(('a message of too many lines', repr(text[:300])))
    if not all(char.isprintable() or char == '\n' for char in text):
        faults.append(('a message with control characters', repr(text[:300])))
    return faults


# ---- what was read


def leaves(value: Any, place: str = '') -> Iterator[tuple[str, str, Any]]:
    """(place, type, content) of all that a value holds, so that two can be compared."""
    if isinstance(value, torch.Tensor):
        value = value.detach()
        value = value.float() if value.dtype == torch.bfloat16 else value
        value = value.numpy()
    if isinstance(value, np.ndarray):
        yield place, f'{value.dtype.newbyteorder("=")} {value.shape}', value.tolist()
    elif dataclasses.is_dataclass(value):
        yield from leaves(vars(value), place)
    elif isinstance(value, dict):
        yield place, 'dict', list(value)
        for key, item in value.items():
            yield from leaves(item, f'{place}.{key}')
    elif isinstance(value, (list, tuple)):
        yield place, 'list', len(value)
        for i, item in enumerate(value):
            yield from leaves(item, f'{place}[{i}]')
    else:
        yield place, type(value).__name__, value


def _finite(leaf: tuple[str, str, Any]) -> bool:
    value = leaf[2]
    try:
        return not isinstance(value, (float, list)) or bool(np.isfinite(value).all())
    except TypeError:  # a list of names
        return True


# ---- what is forbidden


_watching: Optional[tuple[Path, list]] = None
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGES = {'os.mkdir', 'os.rename', 'os.remove', 'os.rmdir', 'os.link', 'os.symlink',
            'os.truncate', 'os.chmod', 'shutil.rmtree', 'shutil.move', 'shutil.copyfile'}
_RELATIVE = {'os.mkdir', 'os.remove', 'os.rmdir', 'os.chmod'}  # the last argument is a folder
_RUNS = {'os.system', 'os.exec', 'os.fork', 'os.posix_spawn', 'os.spawn', 'subprocess.Popen',
         'socket.connect', 'ctypes.dlopen'}


def _hook(event: str, args: tuple) -> None:
    """Note what a reader must not do; Python calls it for everything of that kind."""
    if _watching is None or not (event == 'open' or event in _CHANGES or event in _RUNS):
        return
    folder, found = _watching
    if event in _RUNS:
        found.append(f'{event}{args}')
        return
    if event == 'open':
        path, mode, flags = args
        writes = any(letter in (mode or '') for letter in 'wax+') or (flags or 0) & _WRITES
        args = (path, ) if writes else ()
    if event in _RELATIVE and args[-1] >= 0:  # within a folder that is open, by rmtree
        return
    for path in args[:2]:
        if isinstance(path, (str, bytes, os.PathLike)):
            full = os.path.realpath(os.fsdecode(path))
            if full != os.devnull and not Path(full).is_relative_to(folder):
                found.append(f'{event} {full}')


sys.addaudithook(_hook)


@contextmanager
def watched(folder: Path) -> Iterator[list[str]]:
    """List what is run, and what is written outside a folder, in this process."""
    global _watching
    found: list[str] = []
    _watching = folder.resolve(), found
    try:
        yield found
    finally:
        _watching = None


@contextmanager
def _quiet() -> Iterator[None]:
    """Neither what readers log nor what numpy says about overflow."""
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        logger = MMLogger.get_current_instance()
        level = logger.level
        # not logging.disable, which MMEngine's loggers would not notice to be over
        logger.setLevel(logging.CRITICAL)
        try:
            yield
        finally:
            logger.setLevel(level)


@contextmanager
def _little_memory() -> Iterator[None]:
    """Let what asks for much memory fail at once, where the system can."""
    try:
        import resource
        limits = resource.getrlimit(resource.RLIMIT_AS)
        used = int(Path('/proc/self/statm').read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + ROOM, limits[1]))
    except (ImportError, OSError, ValueError):
        yield
        return
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)
