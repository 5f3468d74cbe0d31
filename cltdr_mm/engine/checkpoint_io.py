"""Lets MMEngine's checkpoints load under ``torch.load(weights_only=True)``.

``torch.load`` refuses everything but tensors and plain containers unless told otherwise. MMEngine
stores its training log (:class:`~mmengine.logging.HistoryBuffer`, which holds NumPy arrays) in
every checkpoint, so testing and resuming fail. Turning the check off would let a checkpoint from
anywhere run any code; instead the few harmless types that MMEngine stores are declared safe, when
this module is imported, NumPy's arrays as :mod:`cltdr_mm.utils.array_pickle` reads them, and the
``Namespace`` of options that many published trainings store. That holds for the whole process:
``Runner.load_checkpoint``, ``Runner.resume`` and ``torch.load`` itself need no change.

What MMEngine fetches by http(s) it loads without the check; its loader for these is replaced by one
that loads what came as it loads any other file. And where ``meta`` holds a ``config``, as early
files do, ``Runner.resume`` would execute it, so that it is left out of what is loaded.

Written are checkpoints by the back-end ``whole_file``, which :class:`.TALCheckpointHook` names.
"""
import os
import pickle
import zipfile
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any, Optional, Union
from urllib.parse import urlparse

import torch
from mmengine.dist import barrier
from mmengine.fileio import LocalBackend, register_backend
from mmengine.logging import HistoryBuffer
from mmengine.runner import CheckpointLoader

from ..utils import TALDataError, atomic_path, one_line
from ..utils.array_pickle import STAND_INS, PickledArray, PickledType
from ..utils.problems import looked_from
from ..utils.torch_archives import torch_members

SafeGlobal = Union[Callable, tuple[Callable, str]]


def history_buffer_method(obj: Any, name: str) -> Callable:
    """Stand in for ``getattr`` while a checkpoint is read.

    MMEngine pickles the statistics a :class:`HistoryBuffer` offers as
    ``getattr(HistoryBuffer, 'min')`` and the like. The real ``getattr`` would open the door to
    arbitrary objects, so only public methods of that one class come through. What comes out can
    be stored in a buffer but not called by the unpickler, which calls declared types only.

    Args:
        obj (Any): Must be the class :class:`HistoryBuffer`.
        name (str): Name of one of its public methods.

    Returns:
        Callable: The method.

    Raises:
        pickle.UnpicklingError: For any other object or name.
    """
    if obj is HistoryBuffer and isinstance(name, str) and not name.startswith('_'):
        method = vars(HistoryBuffer).get(name)
        if callable(method):
            return method
    raise pickle.UnpicklingError(
        f'this checkpoint asks for the attribute {name!r} of {obj!r}; only the statistics of '
        'HistoryBuffer are allowed')


def safe_globals() -> list[SafeGlobal]:
    """List what a checkpoint of MMEngine may name besides tensors and containers.

    Returns:
        list: Types, or (object, name in the file) where the file uses another name.
    """
    stand_ins = [(answer, name) for name, answer in STAND_INS.items()]
    return [HistoryBuffer, PickledArray, PickledType, Namespace, *stand_ins,
            (history_buffer_method, 'builtins.getattr')]


@CheckpointLoader.register_scheme(prefixes='', force=True)
def load_from_local(filename: str, map_location: Any = None, lazy: bool = False) -> Any:
    """Load a checkpoint of this machine.

    Args:
        filename (str): Its path.
        map_location (optional): As in :func:`torch.load`. Defaults to None.
        lazy (bool): Whether values of tensors are read when they are used, where the format has
            it (``mmap`` of torch); for a look at the rest. Defaults to False.

    Returns:
        Any: The checkpoint, without the text of a config in ``meta['config']``.

    Raises:
        FileNotFoundError: If there is no such file.
        TALDataError: If it is damaged, no checkpoint, or might run code.
    """
    path = Path(os.path.expanduser(filename))
    if not os.path.isfile(path):  # unlike Path's, it answers whatever the name is
        raise FileNotFoundError(f'there is no checkpoint {one_line(str(filename))}'
                                + looked_from(path))
    try:
        archive = torch_members(path)
        checkpoint = torch.load(path, map_location=map_location, weights_only=True,
                                mmap=bool(lazy and archive))
    except Exception as error:  # whatever a damaged file makes torch, zipfile and pickle raise
        if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
            raise
        raise TALDataError.of('checkpoint', filename, 'file', _why(path, error)) from error
    meta = checkpoint.get('meta') if isinstance(checkpoint, dict) else None
    if isinstance(meta, dict):
        meta.pop('config', None)
    return checkpoint


@CheckpointLoader.register_scheme(prefixes=('http://', 'https://'), force=True)
def load_from_http(filename: str, map_location: Any = None, model_dir: Optional[str] = None) -> Any:
    """Download a checkpoint, unless it is there already, and load it as any other file.

    Args:
        filename (str): The URL.
        map_location (optional): As in :func:`torch.load`. Defaults to None.
        model_dir (str, optional): Where downloads are kept. Defaults to None: torch's hub folder.

    Returns:
        Any: The checkpoint.
    """
    folder = Path(model_dir or Path(torch.hub.get_dir(), 'checkpoints'))
    path = folder / Path(urlparse(filename).path).name
    # not mmengine's get_local_rank, which wants a process group that its Runner never makes
    if int(os.environ.get('LOCAL_RANK', 0)) == 0 and not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(filename, str(path), progress=os.isatty(0))
    barrier()  # the other ranks of this machine find it
    return load_from_local(str(path), map_location)


def _why(path: Path, error: Exception) -> str:
    """What keeps a file from being read; torch's own text would advise to turn the check off."""
    if path.stat().st_size == 0:
        return 'is empty'
    with open(path, 'rb') as file:
        archive = file.read(2) == b'PK'
    if archive and not _has_directory(path):
        return 'is cut off: its end is missing'
    text = ' '.join(str(error).split())
    if isinstance(error, pickle.UnpicklingError) and any(
            word in text for word in ('nsupported glob', 'nsupported GLOB', 'HistoryBuffer')):
        return ('is not loaded, for it holds something else than tensors and plain containers and '
                'might run code')
    # torch begins with advice to turn the check off
    text = text.split('WeightsUnpickler error: ')[-1].split(' Check the documentation')[0][:100]
    return f'is no checkpoint of torch, or damaged ({type(error).__name__}: {text})'


def _has_directory(path: Path) -> bool:
    """Whether an archive has its directory, which stands at its end."""
    try:
        return zipfile.is_zipfile(path)
    except zipfile.BadZipFile:  # a directory that says what is impossible
        return True


def is_whole(path: Union[str, Path]) -> bool:
    """Whether a checkpoint of this machine can be loaded.

    Its tensors are not read: torch would not notice that their values are damaged.
    """
    try:
        load_from_local(str(path), map_location='cpu', lazy=True)
    except (FileNotFoundError, TALDataError):
        return False
    return True


@register_backend('whole_file')
class WholeFileBackend(LocalBackend):
    """Files of this machine that are there completely or not at all, see :func:`.atomic_path`."""

    def put(self, obj: bytes, filepath: Union[str, Path]) -> None:
        """Write bytes; an error of the file system names ``filepath``."""
        try:
            with atomic_path(filepath) as temporary:
                Path(temporary).write_bytes(obj)
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(filepath)) from error


torch.serialization.add_safe_globals(safe_globals())
