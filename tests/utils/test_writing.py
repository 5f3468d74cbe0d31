"""Files are there completely or not at all."""
import argparse
import json
import os

import pytest

from cltdr_mm.utils import atomic_path, out_file, out_folder, remove_parts, write_json


def current_umask():
    umask = os.umask(0)
    os.umask(umask)
    return umask


def test_a_file_of_any_kind(tmp_path):
    path = tmp_path / 'deep' / 'a.npy'
    with atomic_path(path) as temporary:
        assert temporary.endswith('.npy')  # numpy would add it, and matplotlib go by it
        with open(temporary, 'wb') as file:
            file.write(b'whole')
        assert not path.exists()
    assert path.read_bytes() == b'whole'
    assert path.stat().st_mode & 0o777 == 0o666 & ~current_umask()
    with pytest.raises(RuntimeError, match='interrupted'):
        with atomic_path(str(path)) as temporary:
            with open(temporary, 'wb') as file:
                file.write(b'half')
            raise RuntimeError('interrupted')
    assert path.read_bytes() == b'whole' and os.listdir(path.parent) == ['a.npy']


def test_what_was_written_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    done = []
    monkeypatch.setattr(os, 'fsync', lambda handle: done.append('sync'))
    replace = os.replace
    monkeypatch.setattr(os, 'replace', lambda *names: (done.append('name'), replace(*names)))
    write_json(dict(a=1), tmp_path / 'a.json')
    assert done == ['sync', 'name']


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / 'out.json'
    write_json(dict(a=1), path)
    with pytest.raises(ValueError, match='not JSON compliant'):
        write_json(dict(a=float('nan')), path)

    def full(*_):
        raise OSError('no space left')

    monkeypatch.setattr(os, 'replace', full)
    with pytest.raises(OSError, match='no space left'):
        write_json(dict(a=2), path)
    assert json.loads(path.read_text()) == dict(a=1) and os.listdir(tmp_path) == ['out.json']


def test_a_file_in_the_folder_one_is_in(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_json([1, 2], 'out.json', indent=1)
    assert (tmp_path / 'out.json').read_text() == '[\n 1,\n 2\n]'


def test_what_a_killed_process_left_is_removed(tmp_path):
    for name in ('.hidden', 'a.part', 'a.json'):
        (tmp_path / name).touch()
    with pytest.raises(FileNotFoundError):
        with atomic_path(tmp_path / 'a.json') as temporary:
            left = {path.name for path in tmp_path.iterdir()}
            assert len(left) == 4
            remove_parts(tmp_path)
            assert not os.path.exists(temporary)
    assert {path.name for path in tmp_path.iterdir()} == {'.hidden', 'a.part', 'a.json'}


def test_a_folder_in_the_place_of_a_file(tmp_path):
    with pytest.raises(IsADirectoryError) as error:
        write_json([], tmp_path)
    assert error.value.filename == str(tmp_path) and os.listdir(tmp_path) == []


def test_places_to_write_to(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'file').write_text('')
    for kind, path in ((out_file, 'a'), (out_file, 'deep/er/a'), (out_folder, '.'),
                       (out_folder, 'deep/er'), (out_file, str(tmp_path / 'file'))):
        assert kind(path) == path
    assert os.listdir(tmp_path) == ['file']
    for kind, path, words in ((out_folder, 'file', 'is a file, not a folder'),
                              (out_folder, 'file/a/b', 'is a file, not a folder'),
                              (out_file, 'file/a', 'is a file, not a folder'),
                              (out_file, '.', 'is a folder, not a file')):
        with pytest.raises(argparse.ArgumentTypeError, match=words):
            kind(path)
    monkeypatch.setattr(os, 'access', lambda path, mode: False)  # which root may do everywhere
    with pytest.raises(argparse.ArgumentTypeError, match='cannot be written to'):
        out_file('a')
