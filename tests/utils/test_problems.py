"""The error of bad data: one problem, many, and through a data worker."""
import pickle

import pytest
from torch.utils.data import DataLoader

from cltdr_mm.utils import Problem, TALDataError, one_line
from cltdr_mm.utils.problems import unreadable

MESSAGE = "loading: a.npy: video 'v0': feature: is empty"


def test_one_problem(tmp_path):
    error = TALDataError.of('loading', 'a.npy', 'feature', 'is empty', 'v0')
    assert str(error) == MESSAGE
    assert error.problems == [Problem('a.npy', 'v0', 'feature', 'is empty')]
    whole = TALDataError.of('converter', tmp_path / 'b', 'file', 'is missing').problems
    assert whole == [Problem(str(tmp_path / 'b'), None, 'file', 'is missing')]
    assert str(Problem(tmp_path / 'b', None, 'file', 'is missing')) == str(whole[0])


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


def test_what_comes_from_a_file_cannot_spoil_a_line():
    problem = Problem('a.json', 'v\n0\ud800', 'f' * 9000, 'not \x1b[31mred: ' + 'x' * 200_000)
    text = str(problem)
    assert text.startswith("a.json: video 'v\\n0\\ud800': fff")
    assert 'not \\x1b[31mred' in text and text.isprintable() and len(text) < 1000


@pytest.mark.parametrize('text, line', [
    ('a caf\u00e9 of 3 s', 'a caf\u00e9 of 3 s'), ('a\r\n\tb\0', r'a\r\n\tb\x00'),
    ('\u202eabc', r'\u202eabc'), ('0123456789' * 3, '01234567890123 ... 3456789'),
    ('\0' * 30, r'\x00\x00\x00\x ... x00\x00'),
])
def test_one_line(text, line):
    found = one_line(text, 21)
    assert found == line and found.isprintable()


def test_files_that_cannot_be_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    error = FileNotFoundError(2, 'No such file or directory', 'a/b.json')
    why = 'cannot be read (FileNotFoundError: No such file or directory'
    assert unreadable('a/b.json', error) == f'{why}, looked for from {tmp_path})'
    assert unreadable(tmp_path / 'b.json', error) == f'{why})'
    assert unreadable('s3://a/b.json', error) == f'{why})'
    assert unreadable('a.json', ValueError('x')) == 'cannot be read (ValueError: x)'
