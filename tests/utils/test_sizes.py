"""Small files that would take much memory are refused, whatever packs them; large ones are not."""
import gzip
import json
import zipfile

import numpy as np
import pytest

from cltdr_mm.utils import TALDataError, read_json, size_problem
from cltdr_mm.utils.npy_files import ArrayFileError, npz_members, read_npy, read_npz_member
from cltdr_mm.utils.sizes import max_bytes

MIB = 2**20


def test_what_is_allowed():
    long_video = 100_000 * 4096 * 4  # steps, channels, float32
    assert size_problem(long_video) is None and size_problem(long_video, long_video // 3) is None
    assert max_bytes() == 2**32 and max_bytes(14 * MIB) == 1400 * MIB
    assert size_problem(3 * 2**30, 14 * MIB) and size_problem(3 * 2**29, int(1.4 * MIB))
    assert size_problem(2**32 + 1) and size_problem(64 * MIB, 10) is None


def test_the_variable_takes_the_place_of_both(monkeypatch):
    monkeypatch.setenv('CLTDR_MAX_BYTES', '1000')
    assert size_problem(1000, 1) is None
    assert size_problem(1001) == (
        'would take 1,001 bytes of memory or more; 1,000 are allowed (to allow more, set the '
        'environment variable CLTDR_MAX_BYTES to a number of bytes)')
    for text in ('', '-3', '4GB', '1e9', '0'):
        monkeypatch.setenv('CLTDR_MAX_BYTES', text)
        with pytest.raises(ValueError, match='CLTDR_MAX_BYTES must be a number of bytes, got'):
            size_problem(1)


def test_compressed_json(tmp_path, monkeypatch):
    path = tmp_path / 'a.json.gz'
    path.write_bytes(gzip.compress(json.dumps(dict(a=' ' * 70 * MIB)).encode()))
    with pytest.raises(TALDataError, match=r'a\.json\.gz: file: .*67,108,865 bytes .* in the file'):
        read_json(path, 'some file')
    monkeypatch.setenv('CLTDR_MAX_BYTES', str(80 * MIB))
    assert len(read_json(path, 'some file')['a']) == 70 * MIB


def bomb(path, megabytes):
    """An .npz file of zeros, written without taking their memory."""
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as archive:
        with archive.open('feats.npy', 'w', force_zip64=True) as member:
            np.lib.format.write_array_header_1_0(
                member, dict(descr='<f4', fortran_order=False, shape=(megabytes * 256, 1024)))
            for _ in range(megabytes):
                member.write(bytes(MIB))


def test_an_archive_that_unpacks_a_thousandfold(tmp_path, monkeypatch):
    bomb(tmp_path / 'a.npz', 100)
    assert (tmp_path / 'a.npz').stat().st_size < MIB / 5
    with zipfile.ZipFile(tmp_path / 'a.npz') as archive:
        info, = npz_members(archive).values()
        with pytest.raises(ArrayFileError, match=r'104,857,\d+ bytes .* of \d+,\d+ in the file'):
            read_npz_member(archive, info)
        monkeypatch.setenv('CLTDR_MAX_BYTES', str(101 * MIB))
        assert read_npz_member(archive, info).shape == (25600, 1024)


@pytest.mark.parametrize('shape, words', [
    ((2**20, 2**20), 'is cut short: 43980465'), ((2**40, 2**40), 'is cut short'),
    ((-4, 3), 'impossible shape'), ((-2**32, -2**32), 'impossible shape')])
def test_a_header_that_claims_more_than_there_is(tmp_path, shape, words):
    path = tmp_path / 'a.npy'
    with open(path, 'wb') as file:
        np.lib.format.write_array_header_1_0(
            file, dict(descr='<f4', fortran_order=False, shape=shape))
        file.write(bytes(100))
    with pytest.raises(ArrayFileError, match=words):
        read_npy(path)
    with zipfile.ZipFile(tmp_path / 'a.npz', 'w') as archive:
        archive.write(path, 'feats.npy')
    with zipfile.ZipFile(tmp_path / 'a.npz') as archive:
        with pytest.raises(ArrayFileError, match=words):
            read_npz_member(archive, npz_members(archive)['feats'])


def test_an_array_larger_than_allowed(tmp_path, monkeypatch):
    np.save(tmp_path / 'a.npy', np.zeros((10, 100)))
    assert read_npy(tmp_path / 'a.npy').shape == (10, 100)
    monkeypatch.setenv('CLTDR_MAX_BYTES', '7999')
    with pytest.raises(ArrayFileError, match='would take 8,000 bytes'):
        read_npy(tmp_path / 'a.npy')
