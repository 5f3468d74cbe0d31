"""The folder of a training: which checkpoint in it to load, and that one training at a time writes.

What belongs to a work directory is found in it, by name: it may have been moved or copied since
the paths within its files were written.
"""
import logging
import os
import re
from pathlib import Path
from typing import Optional, Union

from filelock import FileLock, Timeout
from mmengine.logging import print_log

from ..utils import TALDataError, one_line
from .checkpoint_io import is_whole, load_from_local

LOCK = '.training.lock'
#: Seconds to wait for the data workers of a killed training, which notice it after 5.
PATIENCE = 8.


def hold_work_dir(work_dir: Union[str, Path]) -> FileLock:
    """Keep other trainings out of a work directory.

    The operating system gives the lock back when the process ends, however it ends.

    Args:
        work_dir (str or Path): Made if it is missing.

    Returns:
        FileLock: Held until it is released or nobody has it any more; within one process the same
        folder gives the same lock.

    Raises:
        BlockingIOError: If another process trains there, and has not ended after ``PATIENCE``.
        OSError: If the folder cannot be written to.
    """
    path = Path(work_dir, LOCK).absolute()
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path, is_singleton=True)
    try:
        lock.acquire(timeout=PATIENCE)
    except Timeout:
        raise BlockingIOError(f'{work_dir}: another training writes to this work directory; let '
                              'it end, or choose another with --work-dir') from None
    except NotImplementedError:
        print_log(f'{work_dir}: this file system knows no locks: nothing keeps a second training '
                  'out of this work directory', logger='current')
    return lock


def latest_checkpoint(work_dir: Union[str, Path]) -> Optional[str]:
    """Find where a training can go on.

    Args:
        work_dir (str or Path): Its folder.

    Returns:
        Optional[str]: The checkpoint that ``last_checkpoint`` names, looked for in this folder; if
        it is gone or damaged, the whole one that was written last, with a remark in the log. None
        if no training wrote one yet.

    Raises:
        FileNotFoundError: If there are checkpoints, but none is whole.
    """
    folder = Path(work_dir)
    named = _named(folder)
    if named is not None and is_whole(folder / named.name):
        return str(folder / named.name)
    found = sorted(path for path in folder.glob('*.pth')
                   if not path.name.startswith(('best_', '.')))
    whole = {path: written for path in found if (written := _written(path)) is not None}
    if not whole and named is not None and not found and is_whole(named):
        whole = {named: ('', 0)}  # the checkpoints of a config with `out_dir` lie elsewhere
    if whole:
        newest = max(whole, key=whole.get)
        why = 'says nothing' if named is None else f'names {named.name}, which cannot be read there'
        print_log(one_line(f'{folder}: last_checkpoint {why}; the newest whole one is {newest}'),
                  logger='current', level=logging.WARNING)
        return str(newest)
    if named is not None or found:
        names = [named.name] if named is not None else []
        names = one_line(', '.join(dict.fromkeys(names + [path.name for path in found])))
        raise FileNotFoundError(
            f'{folder} holds no checkpoint that a training finished: {names} cannot be read')
    return None


def find_checkpoint(path: str) -> str:
    """Find what to load.

    Args:
        path (str): A checkpoint file or URL, or the work directory of a training.

    Returns:
        str: The checkpoint; of a work directory the latest one.

    Raises:
        FileNotFoundError: If there is no such file, or no checkpoint in the folder.
    """
    if os.path.isfile(path) or '://' in path:
        return path
    if not os.path.isdir(path):
        raise FileNotFoundError(f'there is no checkpoint {path}')
    found = latest_checkpoint(path)
    if found is None:
        raise FileNotFoundError(f'{path} holds no checkpoint that a training finished')
    return found


def folder_of_training(checkpoint: str) -> Optional[str]:
    """Find the work directory that a checkpoint lies in.

    Args:
        checkpoint (str): Checkpoint file or URL.

    Returns:
        Optional[str]: Its folder, if a training left its ``last_checkpoint`` there and it can be
        written to; else None.
    """
    if '://' in checkpoint:
        return None
    folder = os.path.dirname(checkpoint) or '.'
    there = os.path.isfile(os.path.join(folder, 'last_checkpoint'))
    return folder if there and os.access(folder, os.W_OK) else None


def _named(folder: Path) -> Optional[Path]:
    """What the file last_checkpoint says; None if it says nothing."""
    try:
        text = (folder / 'last_checkpoint').read_text(encoding='utf-8').strip()
    except (OSError, UnicodeDecodeError):
        return None
    return Path(text) if text and '\0' not in text else None


def _written(path: Path) -> Optional[tuple[str, int]]:
    """When a checkpoint says it was written, and the number in its name; None if it is damaged.

    Not when the file was: it may have been copied.
    """
    try:
        checkpoint = load_from_local(str(path), map_location='cpu', lazy=True)
    except (FileNotFoundError, TALDataError):
        return None
    meta = checkpoint.get('meta') if isinstance(checkpoint, dict) else None
    time = meta.get('time') if isinstance(meta, dict) else None
    numbers = re.findall(r'\d+', path.stem)
    return time if isinstance(time, str) else '', int(numbers[-1]) if numbers else -1
