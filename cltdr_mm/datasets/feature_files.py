"""Feature files: one reader per format, each able to tell the shape without reading the values.

Nothing that is read here can run code: ``.npy`` and ``.npz`` without pickled objects, ``.pt`` with
``weights_only``, ``.pkl`` through an unpickler that builds numpy arrays and nothing else. What a
header claims is held against :mod:`cltdr_mm.utils.sizes` before memory is taken.
"""
import math
import os
import pickle
import zipfile
from collections.abc import Mapping
from typing import Any, Optional, Union

import numpy as np
import torch

from ..utils import matching_name, one_line
from ..utils.array_pickle import ArrayUnpickler
from ..utils.npy_files import (
    PARSING,
    ArrayFileError,
    npy_header,
    npz_header,
    npz_members,
    read_npy,
    read_npz_member,
    refuse_size,
)
from ..utils.problems import looked_from
from ..utils.torch_archives import torch_members

Shape = tuple[int, ...]
_NUMBERS = 'fiu'  # kinds of types


class FeatureFileError(ValueError):
    """Raised when a feature file cannot be read; the message does not repeat the path."""

    def __init__(self, message: str):
        super().__init__(one_line(message))


def _pick(items: Mapping[str, Any], key: Optional[str]) -> Any:
    """The array named ``key``, in any Unicode form, or the only one there is."""
    if key is not None:
        name = matching_name(key, items)
        if name is None:
            raise FeatureFileError(f'has no array {key!r}, only {sorted(items)[:5]}')
        return items[name]
    if 'state_dict' in items:
        raise FeatureFileError('is a checkpoint of a model, no file of features; an ONNX file '
                               'holds its weights and takes no checkpoint')
    if len(items) != 1:
        raise FeatureFileError(
            f'holds {len(items)} arrays {sorted(items)[:5]}: set feature_key to the one wanted')
    return next(iter(items.values()))


class NpyReader:
    """``.npy``: one array."""

    def shape(self, path: str, key: Optional[str] = None) -> Shape:
        """Shape from the header, after a check that the file is long enough."""
        with open(path, 'rb') as file:
            return npy_header(file, os.path.getsize(path))[0]

    def array(self, path: str, key: Optional[str] = None) -> np.ndarray:
        """The array, read as a whole."""
        return read_npy(path)

    def mapped(self, path: str, key: Optional[str] = None) -> np.ndarray:
        """The array, memory-mapped unless it is empty; what is written to it stays in memory."""
        mode = 'c' if 0 not in self.shape(path) else None
        with PARSING:
            return np.load(path, mmap_mode=mode, allow_pickle=False)


class NpzReader:
    """``.npz``: several named arrays."""

    def shape(self, path: str, key: Optional[str] = None) -> Shape:
        """Shape from the member's header."""
        with zipfile.ZipFile(path) as archive:
            return npz_header(archive, _pick(npz_members(archive), key))[0]

    def array(self, path: str, key: Optional[str] = None) -> np.ndarray:
        """The array; checksums of the archive are verified on the way."""
        with zipfile.ZipFile(path) as archive:
            return read_npz_member(archive, _pick(npz_members(archive), key))


class TorchReader:
    """``.pt`` / ``.pth``: a tensor or NumPy array, or a dict of these (``weights_only``).

    NumPy's types are among those that :mod:`cltdr_mm.engine.checkpoint_io` declares safe.
    """

    def _load(self, path: str, key: Optional[str], mmap: bool) -> Union[torch.Tensor, np.ndarray]:
        members = torch_members(path)
        refuse_size(sum(info.file_size for info in members),
                    sum(info.compress_size for info in members))
        mmap = mmap and len(members) > 0  # the format before torch 1.6 cannot be mapped
        try:
            content = torch.load(path, map_location='cpu', weights_only=True, mmap=mmap)
        except pickle.UnpicklingError as error:  # torch's text advises to turn the check off
            raise FeatureFileError(
                'cannot be read: it is damaged, or holds something else than tensors, which could '
                'run code; save the features alone, with torch.save(tensor, path)') from error
        if isinstance(content, dict):
            content = _pick(content, key)
        if not isinstance(content, (torch.Tensor, np.ndarray)):
            raise FeatureFileError(f'holds a {type(content).__name__}, not a tensor')
        # an expanded tensor repeats what is in the file
        refuse_size(math.prod(content.shape) * content.itemsize, os.path.getsize(path))
        return content

    def shape(self, path: str, key: Optional[str] = None) -> Shape:
        """Shape of the tensor, its values left on disk where the format allows."""
        return tuple(self._load(path, key, mmap=True).shape)

    def array(self, path: str, key: Optional[str] = None) -> np.ndarray:
        """The tensor as an array; types numpy lacks (bfloat16) become float32."""
        tensor = self._load(path, key, mmap=False)
        if isinstance(tensor, np.ndarray):
            return tensor.view(np.ndarray)
        if tensor.dtype == torch.bfloat16:
            tensor = tensor.float()
        return tensor.detach().numpy()  # one saved without no_grad has a gradient


class PickleReader:
    """``.pkl``: an array or a dict of arrays, by an unpickler that allows nothing else."""

    def shape(self, path: str, key: Optional[str] = None) -> Shape:
        """Shape of the array; the file has to be read for it."""
        return self.array(path, key).shape

    def array(self, path: str, key: Optional[str] = None) -> np.ndarray:
        """The array."""
        refuse_size(os.path.getsize(path))
        with open(path, 'rb') as file:
            # latin1: arrays written by Python 2 hold their values in byte strings
            content = ArrayUnpickler(file, encoding='latin1').load()
        if isinstance(content, dict):
            content = _pick(content, key)
        if not isinstance(content, np.ndarray):
            raise FeatureFileError(f'holds a {type(content).__name__}, not an array')
        return content.view(np.ndarray)


class Hdf5Reader:
    """``.h5`` / ``.hdf5``: one file a video, or one file with a data set per video.

    The file is opened anew for every read: an open handle must not be shared by the workers of a
    DataLoader.
    """

    def _open(self, path: str):
        try:
            import h5py
        except ImportError as error:
            raise ImportError(
                f'{path}: reading HDF5 features needs h5py: pip install h5py') from error
        return h5py.File(path, 'r')

    def _dataset(self, file, key: Optional[str]):
        found = _pick(self._datasets(file) if key is None else file, key)
        if not hasattr(found, 'shape'):
            names = [f'{key}/{name}' for name in self._datasets(found)]
            raise FeatureFileError(f'{key!r} is a group, not a data set: set feature_key to one of '
                                   f'{names[:5]}')
        return found

    def _datasets(self, group) -> dict:
        """Data sets of a file or group and of all groups within, by their path."""
        found = {}
        group.visititems(lambda name, item: found.update({name: item})
                         if hasattr(item, 'shape') else None)
        return found

    def shape(self, path: str, key: Optional[str] = None) -> Shape:
        """Shape of the data set."""
        with self._open(path) as file:
            found = self._dataset(file, key)
            if found.dtype.kind not in _NUMBERS:  # texts of any length do not tell their size
                raise FeatureFileError(f'must hold numbers, got type {found.dtype}')
            # values that are elsewhere, or were never written, are not in the file
            stored = None if found.is_virtual or found.external else found.id.get_storage_size()
            refuse_size(math.prod(found.shape) * found.dtype.itemsize, stored)
            return tuple(found.shape)

    def array(self, path: str, key: Optional[str] = None) -> np.ndarray:
        """The data set."""
        self.shape(path, key)  # says what is too large
        with self._open(path) as file:
            return self._dataset(file, key)[()]


_READERS = {
    '.npy': NpyReader(), '.npz': NpzReader(), '.pt': TorchReader(), '.pth': TorchReader(),
    '.pkl': PickleReader(), '.pickle': PickleReader(), '.h5': Hdf5Reader(), '.hdf5': Hdf5Reader(),
}
FEATURE_FORMATS = tuple(_READERS)
HDF5_FORMATS = ('.h5', '.hdf5')


def _call(method: str, path: str, key: Optional[str]) -> Any:
    extension = os.path.splitext(path)[1].lower()
    if extension not in _READERS:
        raise FeatureFileError(f'format {extension!r} is not among {list(FEATURE_FORMATS)}')
    if not os.path.isfile(path):
        raise FeatureFileError(f'missing feature: no such file{looked_from(path)}')
    try:
        reader = _READERS[extension]
        return getattr(reader, method, reader.array)(path, key)
    except (FeatureFileError, ImportError):
        raise
    except ArrayFileError as error:
        raise FeatureFileError(str(error)) from error
    except Exception as error:  # whatever a damaged file makes numpy, zipfile, torch, h5py raise
        first_line = (str(error).splitlines() or [''])[0]
        raise FeatureFileError(f'cannot be read ({type(error).__name__}: {first_line})') from error


def _check_matrix(shape: Shape) -> None:
    if len(shape) != 2:
        raise FeatureFileError(f'must hold a matrix of steps and channels, got shape {shape}')


def feature_shape(path: str, key: Optional[str] = None,
                  layout: str = 'time_major') -> tuple[int, int]:
    """Steps and channels of a feature file, from its header where the format has one.

    Args:
        path (str): The file.
        key (str, optional): Array within a file that holds several. Defaults to None.
        layout (str): ``'time_major'`` for (T, C), ``'channel_major'`` for (C, T).
            Defaults to ``'time_major'``.

    Returns:
        tuple[int, int]: T and C.

    Raises:
        FeatureFileError: If the file is missing, damaged or no matrix.
        ImportError: If it is HDF5 and h5py is not installed.
    """
    shape = _call('shape', path, key)
    _check_matrix(shape)
    return shape if layout == 'time_major' else shape[::-1]


def open_feature(path: str, key: Optional[str] = None, layout: str = 'time_major',
                 mapped: bool = True) -> np.ndarray:
    """Open a feature file.

    Args:
        path (str): The file.
        key (str, optional): Array within a file that holds several. Defaults to None.
        layout (str): Layout on disk, see :func:`feature_shape`. Defaults to ``'time_major'``.
        mapped (bool): Whether ``.npy`` files are memory-mapped, so that a slice reads only its
            part; a whole file is read faster without. Defaults to True.

    Returns:
        np.ndarray: (T, C) whatever the layout on disk, of the type on disk.

    Raises:
        FeatureFileError: If the file is missing, damaged or no matrix of numbers.
        ImportError: If it is HDF5 and h5py is not installed.
    """
    array = _call('mapped' if mapped else 'array', path, key)
    _check_matrix(array.shape)
    if array.dtype.kind not in _NUMBERS:
        raise FeatureFileError(f'must hold numbers, got type {array.dtype}')
    return array.T if layout == 'channel_major' else array
