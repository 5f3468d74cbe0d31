"""Pickles of numpy arrays, read without numpy's own unpickling.

Numpy believes what a pickle says about the type of an array: a wrong word makes it follow numbers
as addresses, or take any amount of memory. Here its classes and functions are answered by stand-ins
that hold every word against the bytes that came with it. Nothing is executed.
"""
import math
import pickle
from collections import OrderedDict
from typing import Any

import numpy as np

from .npy_files import ArrayFileError

_KINDS = 'biufcSU'  # of types whose values stand in the file as they are


class PickledType:
    """Stands for ``numpy.dtype``.

    Args:
        code (str): Such as ``'f4'``.
        align, copy (bool): Ignored.

    Raises:
        ArrayFileError: If it is a type of dates or structures.
    """

    def __init__(self, code: str, align: bool = False, copy: bool = False):
        if not isinstance(code, str):
            raise ArrayFileError(f'holds an array of a type {type(code).__name__}')
        self.dtype = np.dtype(code)
        if self.dtype.kind not in _KINDS and self.dtype != object:
            raise ArrayFileError(f'holds an array of type {self.dtype}')

    def __setstate__(self, state: tuple) -> None:
        """Take the byte order, the only thing that a plain type has beside its code."""
        if state[1] in ('<', '>'):
            self.dtype = self.dtype.newbyteorder(state[1])


class PickledArray(np.ndarray):
    """An array that looks at what it is given; saved again it is a plain one."""

    def __new__(cls) -> 'PickledArray':
        """Make an array that has no values yet."""
        return np.empty(0, np.int8).view(cls)

    def __setstate__(self, state: tuple) -> None:
        """Take shape, type and values.

        Raises:
            ArrayFileError: If the values are not as many as shape and type say.
        """
        _, shape, kind, fortran, values = state
        values = _checked(shape, kind, values)
        super().__setstate__((1, shape, kind.dtype, bool(fortran), values))

    def __reduce_ex__(self, protocol: int) -> Any:
        return self.view(np.ndarray).__reduce_ex__(protocol)


class PickledClass:
    """Stands for ``numpy.ndarray``, which could make an array of any size out of nothing."""


def _checked(shape: tuple, kind: PickledType, values: Any) -> Any:
    """Values of an array, a list of objects or bytes, if they fit its shape and type."""
    if isinstance(values, str):  # written by Python 2
        values = values.encode('latin1')
    elif isinstance(values, (bytearray, pickle.PickleBuffer)):
        values = bytes(values)
    number = math.prod(shape) if min(shape, default=0) >= 0 else -1
    if kind.dtype == object:
        fits = isinstance(values, list) and len(values) == number
    else:
        fits = isinstance(values, bytes) and len(values) == number * kind.dtype.itemsize
    if not fits:
        raise ArrayFileError(f'holds an array with another number of values than its shape {shape}')
    return values


def reconstruct(kind: type, shape: tuple, code: Any) -> PickledArray:
    """Stand in for numpy's ``_reconstruct``: the array is given its values, shape and type next."""
    return PickledArray()


def scalar(kind: PickledType, value: bytes) -> np.generic:
    """Stand in for numpy's ``scalar``: a number from its bytes."""
    return from_buffer(value, kind, (), 'C')[()]


def from_buffer(values: Any, kind: PickledType, shape: tuple, order: str) -> np.ndarray:
    """Stand in for numpy's ``_frombuffer``, of protocol 5."""
    values = _checked(shape, kind, values)
    if kind.dtype == object:
        raise ArrayFileError('holds an object in the place of numbers')
    return np.ndarray(shape, kind.dtype, values, order=order).copy(order)


def no_bytes() -> bytes:
    """Stand in for ``bytes``, as protocols without byte strings write those of an empty array."""
    return b''


def _encode(text: str, encoding: str) -> bytes:
    """Stand in for ``_codecs.encode``: values written by protocols without byte strings."""
    if encoding not in ('latin1', 'latin-1'):
        raise ArrayFileError(f'refused: the pickle asks for an encoding {encoding!r}')
    return text.encode('latin1')


#: What pickles of arrays name, and what answers.
STAND_INS = {'numpy.ndarray': PickledClass, 'numpy.dtype': PickledType, 'builtins.bytes': no_bytes,
             '__builtin__.bytes': no_bytes}
for _core in ('core', '_core'):  # NumPy 2 renamed it
    STAND_INS |= {f'numpy.{_core}.multiarray._reconstruct': reconstruct,
                  f'numpy.{_core}.multiarray.scalar': scalar,
                  f'numpy.{_core}.numeric._frombuffer': from_buffer}


class ArrayUnpickler(pickle.Unpickler):
    """Builds numpy arrays in plain containers; any other class or function is refused."""

    ALLOWED = {'_codecs.encode': _encode, 'collections.OrderedDict': OrderedDict, **STAND_INS}

    def find_class(self, module: str, name: str) -> Any:
        """As the base, of what is allowed; raises ArrayFileError for anything else."""
        if f'{module}.{name}' not in self.ALLOWED:
            raise ArrayFileError(f'refused: the pickle asks for {module}.{name}; only numpy '
                                 'arrays are read')
        return self.ALLOWED[f'{module}.{name}']
