"""Every reader of files takes or refuses whatever it is given, and does nothing else.

``--faults=full`` gives each reader thousands of mutants and prints how many it read and refused.
"""
import os
import pickle

import data_readers
import label_readers
import numpy as np
import other_readers
import pytest
from fuzzing import BOMBS, generator
from judging import Reader, judge
from sources import as_json

from cltdr_mm.utils import TALDataError, read_json

READERS = {**data_readers.READERS, **label_readers.READERS, **other_readers.READERS}
SOME, FULL = 200, 10_000


@pytest.fixture
def judged(tmp_path, monkeypatch):
    """Judge a reader in a folder of its own."""
    for name in ('here', 'files'):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / 'here')
    return lambda name, reader, count: judge(name, reader, count, tmp_path / 'files')


@pytest.mark.parametrize('name', READERS)
def test_mutants(name, judged, request, record_property):
    full = request.config.getoption('faults') == 'full'
    counts = judged(name, READERS[name], FULL if full else SOME)
    record_property('faults', (name, counts.mutants, counts.read, counts.refused))
    if counts.faults:
        pytest.fail(counts.report(), pytrace=False)
    assert counts.read and counts.refused


# ---- the judge itself


@pytest.mark.parametrize('name', READERS)
def test_a_mutant_depends_on_its_number_alone(name):
    """Not on those that were made before it."""
    for source in READERS[name].sources.values():
        later, alone = ([source.mutant(generator(1, name, number))[0] for number in numbers]
                        for numbers in (range(30), range(29, -1, -1)))
        assert later == alone[::-1]


@pytest.mark.parametrize('bomb', BOMBS)
def test_planted_code_would_run(bomb, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pickle.loads(pickle.dumps(bomb))
    assert os.listdir() == ['marker']


def _read(folder):
    return read_json(folder / 'a.json', 'test')


def _raise(error):
    raise error


CONTENT = {'a': [1, 2.5], 'b': {'c': 'text'}}


@pytest.mark.parametrize('spoil, kind', [
    (lambda folder, value: _raise(KeyError('a')), 'raises KeyError'),
    (lambda folder, value: _raise(RecursionError()), 'raises RecursionError'),
    (lambda folder, value: _raise(TALDataError.of('test', 'other', 'a', 'b')), 'not name the file'),
    (lambda folder, value: _raise(TALDataError(f'a.json {"x" * 3000}')), 'more than 2000'),
    (lambda folder, value: _raise(TALDataError('a.json\nb')), 'too many lines'),
    (lambda folder, value: _raise(TALDataError('a.json\x1b')), 'control characters'),
    (lambda folder, value: [np.array([0.5, np.nan])], 'not finite'),
    (lambda folder, value: [float('inf')], 'not finite'),
    (lambda folder, value: 3, 'reads a harmless one as something else'),
    (lambda folder, value: _raise(TALDataError('a.json')), 'refuses a harmless one'),
    (lambda folder, value: os.system(':'), 'runs or writes what it must not'),
    (lambda folder, value: (folder.parent / 'out').write_text('x'), 'runs or writes'),
    (lambda folder, value: os.rename(folder / 'a.json', folder / '../b'), 'runs or writes'),
    (lambda folder, value: open('marker', 'w').close(), 'makes files in the current folder'),
    (lambda folder, value: (folder / '.a.part.json').write_text(''), 'half-written'),
])
def test_what_is_wrong_is_found(spoil, kind, judged):
    times = iter(range(1000))

    def read(folder):
        value = _read(folder)
        return spoil(folder, value) if next(times) else value

    found = judged('test', Reader({'a.json': as_json(CONTENT)}, read), 100).faults
    assert any(kind in name for name in found), dict(found)


def test_a_good_reader_has_no_faults(judged):
    counts = judged('test', Reader({'a.json': as_json(CONTENT)}, _read, finite=False), 300)
    assert not counts.faults, counts.report()
    assert counts.mutants == 300 == counts.read + counts.refused and counts.read > 50
