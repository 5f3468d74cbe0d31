import warnings

import numpy as np
import pytest

from cltdr_mm.datasets.feature_files import open_feature
from cltdr_mm.datasets.feature_values import as_float32, as_rows, find_nonfinite

ARRAY = np.random.default_rng(0).standard_normal((9, 4)).astype(np.float32)


@pytest.mark.parametrize('dtype', ['f2', 'f4', 'f8', 'i4', 'u1', '>f4', '>f2'])
def test_number_types_become_float32(tmp_path, dtype):
    array = np.arange(12).reshape(4, 3).astype(dtype)
    np.save(tmp_path / 'a.npy', array)
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        for layout, expected in (('time_major', array), ('channel_major', array.T)):
            found = open_feature(str(tmp_path / 'a.npy'), layout=layout)
            for rows in (as_float32(found), as_rows([found])):
                assert rows.dtype == np.float32
                np.testing.assert_array_equal(rows, expected)


@pytest.mark.parametrize('dtype', ['f2', 'f4', 'i8'])
@pytest.mark.parametrize('turn', [
    lambda a: a, lambda a: a.T, lambda a: a[::-1], lambda a: a[::2, 1:], lambda a: a[:, ::-2]])
def test_rows_are_contiguous_and_their_own(dtype, turn):
    array = turn((10 * ARRAY).astype(dtype))
    expected = array.copy()
    array.flags.writeable = dtype != 'f4'
    with warnings.catch_warnings():
        warnings.simplefilter('error')  # torch's about read-only arrays
        rows = as_rows([array])
    assert rows.flags.carray and rows.dtype == np.float32
    np.testing.assert_array_equal(rows, expected)
    rows[:] = 0
    np.testing.assert_array_equal(array, expected)


def test_what_is_as_wanted_already_is_not_copied(tmp_path):
    assert as_rows([ARRAY], copy=False) is ARRAY
    np.save(tmp_path / 'a.npy', ARRAY)
    mapped = open_feature(str(tmp_path / 'a.npy'))
    for part in (mapped, mapped[2:5], ARRAY.astype('f2'), ARRAY.T):
        rows = as_rows([part], copy=False)
        assert type(rows) is np.ndarray and rows.base is None
        np.testing.assert_array_equal(rows, part)


def test_folders_lie_side_by_side():
    parts = [ARRAY, np.arange(16).reshape(8, 2), ARRAY.T.astype('f2')]
    rows = as_rows(parts)
    assert rows.shape == (4, 4 + 2 + 9) and rows.flags.carray
    np.testing.assert_array_equal(rows, np.concatenate([p[:4].astype('f4') for p in parts], 1))


def test_find_nonfinite():
    assert find_nonfinite(ARRAY) is None
    assert find_nonfinite(np.zeros((0, 4))) is None
    for value in (np.nan, np.inf, -np.inf):
        spoiled = ARRAY.copy()
        spoiled[5, 2] = value
        spoiled[7, 0] = value
        assert find_nonfinite(spoiled) == (5, 2)
        assert find_nonfinite(spoiled.T) == (0, 7)
    opposed = ARRAY.copy()
    opposed[3:5, 1] = np.inf, -np.inf
    assert find_nonfinite(opposed) == (3, 1)
    assert np.isinf(as_float32(np.array([1e300]))).all()


def test_large_values_are_finite():
    """Their sums are not; nor are warnings worth anybody's while."""
    large = np.full((3, 2), 3e38, np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        assert find_nonfinite(large) is None
        large[2, 1] = np.nan
        assert find_nonfinite(large) == (2, 1)
