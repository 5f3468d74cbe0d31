import io
import pickle
import sys
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from cltdr_mm.datasets.feature_files import FeatureFileError, feature_shape, open_feature

ARRAY = np.random.default_rng(0).standard_normal((9, 4)).astype(np.float32)


def write(path, array=ARRAY, key=None):
    """The array in the format that the extension tells."""
    kind = path.suffix
    if kind == '.npy':
        np.save(path, array)
    elif kind == '.npz':
        np.savez(path, **{key or 'feats': array})
    elif kind in ('.pt', '.pth'):
        tensor = torch.from_numpy(array)
        torch.save(tensor if key is None else {key: tensor}, path)
    elif kind == '.pkl':
        path.write_bytes(pickle.dumps(array if key is None else {key: array}))
    else:
        h5py = pytest.importorskip('h5py')
        with h5py.File(path, 'w') as file:
            file[key or 'feats'] = array
    return str(path)


FORMATS = ['.npy', '.npz', '.pt', '.pth', '.pkl', '.h5', '.hdf5']


@pytest.mark.parametrize('extension', FORMATS)
@pytest.mark.parametrize('layout', ['time_major', 'channel_major'])
def test_every_format(tmp_path, extension, layout):
    stored = ARRAY if layout == 'time_major' else np.ascontiguousarray(ARRAY.T)
    path = write(tmp_path / f'a{extension}', stored)
    assert tuple(feature_shape(path, layout=layout)) == (9, 4)
    np.testing.assert_array_equal(open_feature(path, layout=layout), ARRAY)


@pytest.mark.parametrize('extension', FORMATS[1:])
def test_key(tmp_path, extension):
    path = write(tmp_path / f'a{extension}', key='rgb')
    assert tuple(feature_shape(path, 'rgb')) == (9, 4)
    np.testing.assert_array_equal(open_feature(path, 'rgb'), ARRAY)
    np.testing.assert_array_equal(open_feature(path), ARRAY)  # the only one
    with pytest.raises(FeatureFileError, match="has no array 'flow', only.*rgb"):
        open_feature(path, 'flow')


def test_several_arrays_need_a_key(tmp_path):
    np.savez(tmp_path / 'a.npz', rgb=ARRAY, flow=ARRAY)
    with pytest.raises(FeatureFileError, match=r"2 arrays \['flow', 'rgb'\]: set feature_key"):
        feature_shape(str(tmp_path / 'a.npz'))
    with pytest.raises(FeatureFileError, match='set feature_key'):
        open_feature(str(tmp_path / 'a.npz'))


@pytest.mark.parametrize('extension', FORMATS)
@pytest.mark.parametrize('call', [feature_shape, open_feature])
def test_damaged_and_missing(tmp_path, extension, call):
    path = tmp_path / f'a{extension}'
    with pytest.raises(FeatureFileError, match='missing feature: no such file'):
        call(str(path))
    path.write_bytes(b'\x00nonsense')
    if extension in ('.h5', '.hdf5'):
        pytest.importorskip('h5py')
    with pytest.raises(FeatureFileError, match='cannot be read'):
        call(str(path))


@pytest.mark.parametrize('extension', ['.npz', '.pt', '.h5'])
def test_damage_inside_an_archive(tmp_path, extension):
    path = tmp_path / f'a{extension}'
    write(path)
    content = path.read_bytes()
    path.write_bytes(content[:len(content) // 2])
    with pytest.raises(FeatureFileError, match='cannot be read'):
        open_feature(str(path))


def test_unknown_format(tmp_path):
    (tmp_path / 'a.mat').write_bytes(b'')
    with pytest.raises(FeatureFileError, match=r"format '.mat' is not among"):
        feature_shape(str(tmp_path / 'a.mat'))


def test_bfloat16(tmp_path):
    tensor = torch.arange(12).reshape(4, 3).bfloat16()
    torch.save(tensor, tmp_path / 'a.pt')
    np.testing.assert_array_equal(open_feature(str(tmp_path / 'a.pt')), tensor.float().numpy())


@pytest.mark.parametrize('dtype', ['f4', 'f8', 'f2', '>f4'])
def test_numpy_array_saved_by_torch(tmp_path, dtype):
    path = str(tmp_path / 'a.pt')
    stored = ARRAY.astype(dtype)
    for content in (stored, {'feats': stored}):
        torch.save(content, path)
        assert feature_shape(path) == (9, 4)
        np.testing.assert_array_equal(open_feature(path), stored)


def test_saved_with_a_gradient(tmp_path):
    tensor = torch.arange(12.).reshape(4, 3).requires_grad_()
    torch.save(tensor, tmp_path / 'a.pt')
    np.testing.assert_array_equal(open_feature(str(tmp_path / 'a.pt')), tensor.detach().numpy())


@pytest.mark.parametrize('array', [np.array([['a', 'b']]), np.ones((2, 2), complex)])
def test_no_numbers(tmp_path, array):
    with pytest.raises(FeatureFileError, match='must hold numbers'):
        open_feature(write(tmp_path / 'a.npy', array))


@pytest.mark.parametrize('shape', [(3,), (2, 3, 4), ()])
def test_no_matrix(tmp_path, shape):
    path = write(tmp_path / 'a.npy', np.zeros(shape, np.float32))
    for call in (feature_shape, open_feature):
        with pytest.raises(FeatureFileError, match='must hold a matrix'):
            call(path)


class Evil:
    """Would make a file, were it unpickled."""

    def __init__(self, target):
        self.target = str(target)

    def __reduce__(self):
        return open, (self.target, 'w')


@pytest.mark.parametrize('extension', ['.pkl', '.pt', '.npy', '.npz'])
def test_nothing_is_executed(tmp_path, extension):
    path, target = tmp_path / f'a{extension}', tmp_path / 'target'
    if extension == '.pkl':
        path.write_bytes(pickle.dumps({'feats': ARRAY, 'x': Evil(target)}))
    elif extension == '.pt':
        torch.save({'feats': torch.ones(2, 2), 'x': Evil(target)}, path)
    else:
        held = np.array([[Evil(target)]], dtype=object)
        if extension == '.npy':
            np.save(path, held, allow_pickle=True)
        else:
            np.savez(path, feats=held)
    for call in (feature_shape, open_feature):
        with pytest.raises(FeatureFileError):
            call(str(path))
    assert not target.exists()
    if extension == '.pt':
        with pytest.raises(FeatureFileError, match=r'^cannot be read: .*run code; save') as caught:
            open_feature(str(path))
        assert 'weights_only' not in str(caught.value)
    if extension == '.pkl':
        with pytest.raises(FeatureFileError, match=r'asks for (io|_io)\.open'):
            open_feature(str(path))


@pytest.mark.parametrize('protocol', range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickle_protocols(tmp_path, protocol):
    path = tmp_path / 'a.pkl'
    path.write_bytes(pickle.dumps({'feats': ARRAY}, protocol=protocol))
    np.testing.assert_array_equal(open_feature(str(path)), ARRAY)


def test_pickle_of_something_else(tmp_path):
    (tmp_path / 'a.pkl').write_bytes(pickle.dumps([1.0, 2.0]))
    with pytest.raises(FeatureFileError, match='holds a list, not an array'):
        open_feature(str(tmp_path / 'a.pkl'))


def test_npy_is_mapped(tmp_path):
    mapped = open_feature(write(tmp_path / 'a.npy'))
    assert isinstance(mapped, np.memmap)
    mapped[:] = 0  # in memory only
    np.testing.assert_array_equal(np.load(tmp_path / 'a.npy'), ARRAY)
    whole = open_feature(str(tmp_path / 'a.npy'), mapped=False)
    assert type(whole) is np.ndarray
    np.testing.assert_array_equal(whole, ARRAY)
    empty = open_feature(write(tmp_path / 'b.npy', np.zeros((0, 4), np.float32)))
    assert empty.shape == (0, 4)


def test_header_of_npz_without_its_values(tmp_path):
    """The values are damaged, the header is not: only reading them notices."""
    path = tmp_path / 'a.npz'
    stored = np.arange(4000, dtype=np.float32).reshape(1000, 4)
    header = io.BytesIO()
    np.save(header, stored)
    with zipfile.ZipFile(path, 'w') as archive:
        archive.writestr('feats.npy', header.getvalue())
    content = bytearray(path.read_bytes())
    content[5000] ^= 0xff
    path.write_bytes(content)
    assert feature_shape(str(path)) == (1000, 4)
    with pytest.raises(FeatureFileError, match='cannot be read'):
        open_feature(str(path))


def test_h5py_is_optional(tmp_path, monkeypatch):
    path = tmp_path / 'a.h5'
    path.write_bytes(b'')
    monkeypatch.setitem(sys.modules, 'h5py', None)
    with pytest.raises(ImportError, match='pip install h5py'):
        open_feature(str(path))


def test_hdf5_group_is_no_feature(tmp_path):
    h5py = pytest.importorskip('h5py')
    with h5py.File(tmp_path / 'a.h5', 'w') as file:
        file['v0/rgb'] = ARRAY
    path = str(tmp_path / 'a.h5')
    with pytest.raises(FeatureFileError, match=r"'v0' is a group, .* one of \['v0/rgb'\]"):
        feature_shape(path, 'v0')
    assert feature_shape(path, 'v0/rgb') == (9, 4)
    assert feature_shape(path) == (9, 4)  # the only data set, wherever it lies
    with h5py.File(path, 'a') as file:
        file['v0/flow'] = ARRAY
    for call in (feature_shape, open_feature):
        with pytest.raises(FeatureFileError, match=r"2 arrays \['v0/flow', 'v0/rgb'\]: set"):
            call(path)


# ---- small files that would take much memory


@pytest.mark.parametrize('extension', FORMATS)
@pytest.mark.parametrize('call', [feature_shape, open_feature])
def test_more_memory_than_allowed(tmp_path, extension, call, monkeypatch):
    path = write(tmp_path / f'a{extension}', np.zeros((100, 50), np.float32))
    call(path)
    monkeypatch.setenv('CLTDR_MAX_BYTES', '19999')
    with pytest.raises(FeatureFileError, match=r'^would take 2\d,\d\d\d bytes .*CLTDR_MAX_BYTES'):
        call(path)


@pytest.mark.parametrize('call', [feature_shape, open_feature])
def test_hdf5_that_holds_less_than_it_says(tmp_path, call):
    h5py = pytest.importorskip('h5py')
    with h5py.File(tmp_path / 'a.h5', 'w') as file:
        file.create_dataset('none', (10**8, 4096), 'f4', chunks=(1000, 4096))  # nothing is written
        file.create_dataset('zeros', data=np.zeros((2**15, 1024), 'f4'), compression='gzip')
        file['noise'] = ARRAY
        file['texts'] = ['a', 'b']
    path = str(tmp_path / 'a.h5')
    assert call(path, 'noise')[0] is not None
    for key, words in (('none', 'would take 1,638,400,000,000 bytes .*, of 0 in the file'),
                       ('zeros', 'would take 134,217,728 bytes'), ('texts', 'must hold numbers')):
        with pytest.raises(FeatureFileError, match=words):
            call(path, key)


@pytest.mark.parametrize('call', [feature_shape, open_feature])
def test_a_tensor_that_repeats_what_it_holds(tmp_path, call):
    torch.save(torch.zeros(1, 1).expand(2**20, 2**20), tmp_path / 'a.pt')
    with pytest.raises(FeatureFileError, match='would take 4,398,046,511,104 bytes'):
        call(str(tmp_path / 'a.pt'))


class Claim:
    """Pickled as a call of numpy that makes an array out of nothing."""

    def __init__(self, *call):
        self.call = call

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize('content', [
    Claim(np.ndarray, ((2**40, 2**10), )), Claim(ARRAY.__reduce__()[0],
                                                 (np.ndarray, (2**40, 2**10), b'f'))])
def test_a_pickle_that_makes_an_array_out_of_nothing(tmp_path, content):
    (tmp_path / 'a.pkl').write_bytes(pickle.dumps(content))
    with pytest.raises(FeatureFileError, match=r'cannot be read|got shape \(0,\)'):
        open_feature(str(tmp_path / 'a.pkl'))


def test_a_pickle_that_asks_for_another_codec(tmp_path):
    import codecs
    (tmp_path / 'a.pkl').write_bytes(pickle.dumps(Claim(codecs.encode, ('x', 'rot13'))))
    with pytest.raises(FeatureFileError, match="refused: .* encoding 'rot13'"):
        open_feature(str(tmp_path / 'a.pkl'))


def test_keys_in_another_unicode_form(tmp_path):
    composed, decomposed = 'K\u00fcche', 'Ku\u0308che'
    for extension in ('.npz', '.h5'):
        path = write(tmp_path / f'a{extension}', key=decomposed)
        np.testing.assert_array_equal(open_feature(path, composed), ARRAY)


# ---- damage that is not found until the values are used


def test_hdf5_without_values(tmp_path):
    h5py = pytest.importorskip('h5py')
    with h5py.File(tmp_path / 'a.h5', 'w') as file:
        file['feats'] = h5py.Empty('f4')
    for call in (feature_shape, open_feature):
        with pytest.raises(FeatureFileError):
            call(str(tmp_path / 'a.h5'))


def test_npz_member_that_is_no_array(tmp_path):
    with zipfile.ZipFile(tmp_path / 'a.npz', 'w') as archive:
        archive.writestr('feats.npy', b'\x92NUMPY' + bytes(90))
    for call in (feature_shape, open_feature):
        with pytest.raises(FeatureFileError):
            call(str(tmp_path / 'a.npz'))


def test_pickled_type_with_damaged_flags(tmp_path):
    """Its numbers claim to be references."""
    content = pickle.dumps(ARRAY, 4)
    place = content.index(b'J\xff\xff\xff\xffK\x00t') + 6
    (tmp_path / 'a.pkl').write_bytes(content[:place] + b'\x7d' + content[place + 1:])
    np.testing.assert_array_equal(open_feature(str(tmp_path / 'a.pkl')), ARRAY)


def test_names_in_a_file_cannot_spoil_the_message(tmp_path):
    np.savez(tmp_path / 'a.npz', **{'a\nb': ARRAY, 'x' * 9000: ARRAY})
    with pytest.raises(FeatureFileError) as caught:
        open_feature(str(tmp_path / 'a.npz'))
    assert str(caught.value).isprintable() and len(str(caught.value)) < 600


def test_one_thread_at_a_time_parses_a_header(tmp_path, monkeypatch):
    """Python's parser fails now and then if two are in it, and data sets are checked by threads."""
    np.save(tmp_path / 'a.npy', np.zeros((5, 3), np.float32))
    real, inside, most = np.lib.format.read_array_header_1_0, [], []

    def parse(file):
        inside.append(file)
        most.append(len(inside))
        time.sleep(0.002)
        inside.remove(file)
        return real(file)

    monkeypatch.setattr(np.lib.format, 'read_array_header_1_0', parse)
    with ThreadPoolExecutor(8) as pool:
        shapes = list(pool.map(feature_shape, [str(tmp_path / 'a.npy')] * 40))
    assert set(shapes) == {(5, 3)} and len(most) == 40 and max(most) == 1
