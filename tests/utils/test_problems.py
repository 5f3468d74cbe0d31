"""The error of bad data: one problem, many, and through a data worker."""
import pickle

import pytest
from torch.utils.data import DataLoader

from cltdr_mm.utils import Problem, TALDataError

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
