"""The error of bad data: one problem, many, and through a data worker."""
import pickle

import pytest
from torch.utils.data import DataLoader

from cltdr_mm.utils import Problem, TALDataError
from cltdr_mm.utils.problems import unreadable

MESSAGE = "loading: a.npy: video 'v0': feature: is empty"


def test_one_problem(tmp_path):
    error = TALDataError.of('loading', 'a.npy', 'feature', 'is empty', 'v0')
    assert str(error) == MESSAGE
    assert error.problems == [Problem('a.npy', 'v0', 'feature', 'is empty')]
    whole = TALDataError.of('converter', tmp_path / 'b', 'file', 'is missing').problems
    assert whole == [Problem(str(tmp_path / 'b'), None, 'file', 'is missing')]


def test_a_copy_from_another_process_is_the_same():
    error = TALDataError.of('loading', 'a.npy', 'feature', 'is empty', 'v0')
    copy = pickle.loads(pickle.dumps(error))
    assert str(copy) == MESSAGE and copy.problems == error.problems


class Bad:
    """A data set whose every sample cannot be read."""

    def __len__(self):
        return 1

    def __getitem__(self, index):
        raise TALDataError.of('loading', 'a.npy', 'feature', 'is empty', 'v0')


def test_what_a_data_worker_finds_can_be_read():
    with pytest.raises(TALDataError) as caught:
        list(DataLoader(Bad(), num_workers=1))
    assert MESSAGE in str(caught.value)


def test_files_that_cannot_be_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    error = FileNotFoundError(2, 'No such file or directory', 'a/b.json')
    why = 'cannot be read (FileNotFoundError: No such file or directory'
    assert unreadable('a/b.json', error) == f'{why}, looked for from {tmp_path})'
    assert unreadable(tmp_path / 'b.json', error) == f'{why})'
    assert unreadable('s3://a/b.json', error) == f'{why})'
    assert unreadable('a.json', ValueError('x')) == 'cannot be read (ValueError: x)'
