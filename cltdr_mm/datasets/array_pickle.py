"""Pickles of numpy arrays, read without running what they ask for.

What numpy's pickles call is answered by functions that make arrays of bytes in the file only, so
that nothing is executed and no small file takes much memory.
"""
import pickle
from collections import OrderedDict
from typing import Any

import numpy as np

from ..utils.npy_files import ArrayFileError


class _Marker:
    """Stands for ``numpy.ndarray``, which could make an array of any size out of nothing."""


def _empty_array(kind: type, shape: tuple, dtype: Any) -> np.ndarray:
    """Stand in for ``_reconstruct``: an array that is given its values, and with them its shape."""
    return np.empty(0, np.int8)


def _encode(text: str, encoding: str) -> bytes:
    """Stand in for ``_codecs.encode``: values written by protocols without byte strings."""
    if encoding not in ('latin1', 'latin-1'):
        raise ArrayFileError(f'refused: the pickle asks for an encoding {encoding!r}')
    return text.encode('latin1')


class ArrayUnpickler(pickle.Unpickler):
    """Builds numpy arrays in plain containers; any other class or function is refused."""

    ALLOWED = {('numpy', 'ndarray'): _Marker, ('numpy', 'dtype'): np.dtype,
               ('_codecs', 'encode'): _encode, ('collections', 'OrderedDict'): OrderedDict}
    for _core in ('core', '_core'):  # NumPy 2 renamed it
        ALLOWED |= {(f'numpy.{_core}.multiarray', '_reconstruct'): _empty_array,
                    (f'numpy.{_core}.multiarray', 'scalar'): np.float64(0).__reduce__()[0],
                    (f'numpy.{_core}.numeric', '_frombuffer'):
                        np.zeros(1).__reduce_ex__(5)[0]}

    def find_class(self, module: str, name: str) -> Any:
        """As the base, of what is allowed; raises ArrayFileError for anything else."""
        if (module, name) not in self.ALLOWED:
            raise ArrayFileError(f'refused: the pickle asks for {module}.{name}; only numpy '
                                   'arrays are read')
        return self.ALLOWED[module, name]
