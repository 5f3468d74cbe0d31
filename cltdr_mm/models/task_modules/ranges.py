"""Regression ranges: how far from its points a level's boundaries may lie."""
from collections.abc import Sequence
from typing import Optional

Ranges = Sequence[Sequence[float]]

#: What ActionFormer and its relatives train THUMOS14 with, in grid steps.
DEFAULT_RANGES = ((0, 4), (4, 8), (8, 16), (16, 32), (32, 64), (64, 10000))


def resized_ranges(ranges: Ranges, num_levels: int) -> list[tuple[float, float]]:
    """Regression ranges for more or fewer levels than there are (CLTDR-GMG, table 14).

    Args:
        ranges (Sequence[Sequence[float]]): Per level (low, high) in grid steps, the last open.
        num_levels (int): Number of levels L asked for.

    Returns:
        list[tuple[float, float]]: The first ones as they were, continued by doubling; the last
        reaches as far as before.
    """
    ranges = [tuple(bounds) for bounds in ranges]
    last, finite = ranges[-1][1], ranges[:-1]
    while len(finite) < num_levels:
        if len(finite) < 2:  # twice 0 leads nowhere: the second level starts where it started
            first = finite[0] if finite else (0, 4)
            second = ranges[1][0] if len(ranges) > 1 else first[1]
            finite = [first, (second, 2 * first[1])]
        else:
            finite.append(tuple(2 * bound for bound in finite[-1]))
    return [*finite[:num_levels - 1], (finite[num_levels - 1][0], last)]


def checked_ranges(ranges: Optional[Ranges], num_levels: Optional[int],
                   owner: str) -> list[tuple[float, float]]:
    """Regression ranges of every level, as a head's arguments say.

    Args:
        ranges (Sequence[Sequence[float]], optional): Per level (low, high); None for the default.
        num_levels (int, optional): Number of levels L; None for as many as there are ranges.
        owner (str): Whose they are, named in an error.

    Returns:
        list[tuple[float, float]]: L pairs.

    Raises:
        ValueError: If both are None, they disagree, or a range or the number of levels is none.
    """
    if num_levels is not None and num_levels < 1:
        raise ValueError(f'{owner}: num_levels must be positive, got {num_levels}')
    if ranges is None:
        if num_levels is None:
            raise ValueError(f'{owner}: give num_levels or regression_ranges')
        return resized_ranges(DEFAULT_RANGES, num_levels)
    for index, bounds in enumerate(ranges):
        if len(bounds) != 2 or not 0 <= bounds[0] < bounds[1]:
            raise ValueError(f'{owner}: regression_ranges[{index}] must be (low, high) with '
                             f'0 <= low < high, got {bounds}')
    if num_levels is not None and len(ranges) != num_levels:
        raise ValueError(f'{owner}: regression_ranges names {len(ranges)} levels, but there are '
                         f'{num_levels}')
    return [tuple(bounds) for bounds in ranges]
