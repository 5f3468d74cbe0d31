"""Regression ranges of more or fewer levels."""
import pytest

from cltdr_mm.models.task_modules import resized_ranges


@pytest.mark.parametrize('ranges, num_levels, expected', [
    ([(0, 4), (4, 8), (8, 10000)], 3, [(0, 4), (4, 8), (8, 10000)]),
    ([(0, 4), (4, 8), (8, 10000)], 1, [(0, 10000)]),
    ([(0, 4), (4, 8), (8, 10000)], 5, [(0, 4), (4, 8), (8, 16), (16, 32), (32, 10000)]),
    ([(0, 4), (2, 8), (4, 10000)], 4, [(0, 4), (2, 8), (4, 16), (8, 10000)]),
    ([(0, 10000)], 3, [(0, 4), (4, 8), (8, 10000)]),
    ([(0, 6), (3, 99)], 4, [(0, 6), (3, 12), (6, 24), (12, 99)]),
])
def test_ranges(ranges, num_levels, expected):
    assert resized_ranges(ranges, num_levels) == expected
