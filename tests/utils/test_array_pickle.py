"""Arrays of pickles are what was saved, or refused; memory is never touched on their word."""
import io
import pickle
import struct
import subprocess
import sys

import numpy as np
import pytest
import torch

import cltdr_mm  # noqa: F401  (declares the stand-ins to torch)
from cltdr_mm.utils.array_pickle import ArrayUnpickler
from cltdr_mm.utils.npy_files import ArrayFileError

ARRAYS = [np.arange(6, dtype=code).reshape(2, 3) for code in (
    'f4', '>f4', 'f8', 'f2', 'g', 'i1', 'u8', '>i4', 'c8')] + [
    np.asfortranarray(np.ones((3, 2))), np.zeros((0, 4), 'f4'), np.array(3, 'f4'),
    np.array([True, False]), np.array(['a', 'caf\u00e9']), np.array([b'ab']),
    np.array([[1, 'a'], [None, [2]]], dtype=object)]


def unpickled(data: bytes):
    return ArrayUnpickler(io.BytesIO(data), encoding='latin1').load()


def through_torch(value):
    file = io.BytesIO()
    torch.save(value, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


@pytest.mark.parametrize('protocol', range(6))
@pytest.mark.parametrize('array', ARRAYS, ids=lambda array: f'{array.dtype}{array.shape}')
def test_arrays_are_what_was_saved(array, protocol):
    data = pickle.dumps(dict(a=[array]), protocol)
    found, numpys = unpickled(data)['a'][0], pickle.loads(data)['a'][0]
    assert found.dtype == numpys.dtype and found.shape == array.shape
    np.testing.assert_array_equal(found, array)
    assert found.flags.f_contiguous == array.flags.f_contiguous


@pytest.mark.parametrize('array', ARRAYS, ids=lambda array: f'{array.dtype}{array.shape}')
def test_arrays_in_checkpoints(array):
    for found in (through_torch(array), through_torch(through_torch(array))):
        assert found.dtype == array.dtype.newbyteorder('=')
        np.testing.assert_array_equal(found, array)
    again = pickle.loads(pickle.dumps(found))
    assert type(again) is np.ndarray, 'saved again it is a plain array'


@pytest.mark.parametrize('value', [np.float64(2.5), np.int32(-3), np.bool_(True), np.str_('ab')])
def test_scalars(value):
    for found in (unpickled(pickle.dumps(value)), through_torch(value)):
        assert found == value and found.dtype == value.dtype


class Says:
    """Pickled as a call, and what is set on its result."""

    def __init__(self, function, args, *state):
        self.call = function, args, *state

    def __reduce__(self):
        return self.call


RECONSTRUCT = np.zeros(1).__reduce__()[0]


def array(shape, kind, values):
    return Says(RECONSTRUCT, (np.ndarray, (0, ), b'b'), (1, shape, kind, False, values))


def kind(code, flags, state=(None, None, None, -1, -1)):
    return Says(np.dtype, (code, False, True), (3, '|', *state, flags))


ADDRESSES = struct.pack('2Q', 0x4141414141414141, 0x4242424242424242)
FALSE = {
    'addresses for objects': array((2, ), kind('O8', 1), ADDRESSES),
    'numbers called references': array((3, ), kind('f8', 1), ADDRESSES),
    'too few objects': array((9, ), kind('O8', 63), [1]),
    'too few numbers': array((2**40, ), np.dtype('f8'), ADDRESSES),
    'a negative shape': array((-2, -1), np.dtype('f8'), ADDRESSES),
    'a structure': array((1, ), np.dtype('f8,O'), [(1., 2)]),
    'a part of an array': array((1, ), kind('f8', 1, ((np.dtype('O'), (2, )), None, None, 16, 8)),
                                ADDRESSES),
    'dates': np.array(['2020-01-01'], 'M8[D]'),
    'an array out of nothing': Says(np.ndarray, ((2**40, 2**10), )),
    'values of a number': Says(np.float64(0).__reduce__()[0], (np.dtype('f8'), b'1')),
    'an address for an object': Says(np.float64(0).__reduce__()[0], (np.dtype('O'), ADDRESSES)),
}


@pytest.mark.parametrize('name', FALSE)
def test_false_words(name):
    data = pickle.dumps(FALSE[name])
    with pytest.raises((ArrayFileError, TypeError)):
        unpickled(data)
    with pytest.raises((ArrayFileError, TypeError, pickle.UnpicklingError)):
        through_torch(FALSE[name])


def test_false_words_do_not_end_the_program(tmp_path, project_root):
    """As they would if NumPy took them: in a process of its own, which would crash."""
    (tmp_path / 'a.pkl').write_bytes(pickle.dumps(FALSE['addresses for objects']))
    torch.save(FALSE['addresses for objects'], tmp_path / 'a.pth')
    code = ('import cltdr_mm\nfrom cltdr_mm.datasets.feature_files import open_feature\n'
            'for ending in ("pkl", "pth"):\n'
            f'    try: open_feature({str(tmp_path / "a.")!r} + ending)\n'
            '    except ValueError as error: print(error)\n')
    done = subprocess.run([sys.executable, '-c', code], cwd=project_root, capture_output=True,
                          text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count('another number of values') == 2
