"""Statistics of a data set as text tables."""
from collections.abc import Mapping, Sequence
from textwrap import fill

import numpy as np
from terminaltables import AsciiTable

from ..utils import one_line
from .statistics import QUANTILES, SubsetStatistics, level_shares


def statistics_text(subsets: Mapping[str, SubsetStatistics]) -> str:
    """Write tables of videos, of lengths and of classes.

    Args:
        subsets (Mapping[str, SubsetStatistics]): By name; one at least, of the same classes.

    Returns:
        str: Three tables, one under another.
    """
    return '\n'.join([_videos(subsets), _lengths(subsets), _classes(subsets)])


def _table(rows: list, title: str) -> str:
    table = AsciiTable([[one_line(str(cell), 60) for cell in row] for row in rows], title)
    table.justify_columns = {i: 'right' for i in range(1, len(rows[0]))}
    return table.table


def _percent(share: float) -> str:
    return f'{100 * share:.1f} %'


def _videos(subsets: Mapping[str, SubsetStatistics]) -> str:
    rows = [['subset', 'videos', 'hours', 'steps of a video', 'instances', 'in a video',
             'background', 'overlapping']]
    for name, found in subsets.items():
        steps, counts = found.steps, found.per_video
        rows.append([name, found.num_videos, f'{found.durations.sum() / 3600:.2f}', _span(steps),
                     found.num_instances, _span(counts), _percent(found.background),
                     _percent(found.overlap)])
    return _table(rows, 'videos')


def _span(values: np.ndarray) -> str:
    return f'{values.min()}-{values.max()}, median {np.median(values):.0f}' if len(values) else '-'


def _lengths(subsets: Mapping[str, SubsetStatistics]) -> str:
    names = {0.0: 'shortest', 0.5: 'median', 1.0: 'longest'}
    rows = [['length of instances', *(names.get(q, f'{100 * q:.0f} %') for q in QUANTILES)]]
    for name, found in subsets.items():
        for unit, lengths in (('s', found.lengths_in_seconds), ('steps', found.lengths)):
            cells = ([f'{value:.4g}' for value in np.quantile(lengths, QUANTILES)]
                     if len(lengths) else ['-'] * len(QUANTILES))
            rows.append([f'{name}, {unit}', *cells])
    return _table(rows, 'lengths')


def _classes(subsets: Mapping[str, SubsetStatistics]) -> str:
    rows = [['class', *(cell for name in subsets for cell in (name, 'median s'))]]
    for label, class_name in enumerate(next(iter(subsets.values())).classes):
        row = [class_name]
        for found in subsets.values():
            lengths = found.lengths_in_seconds[found.labels == label]
            row += [len(lengths), f'{np.median(lengths):.4g}' if len(lengths) else '-']
        rows.append(row)
    return _table(rows, 'instances of each class')


def levels_text(found: SubsetStatistics, ranges: Sequence[tuple[float, float]]) -> str:
    """Write a table of the share of instances that each level of a pyramid learns.

    Args:
        found (SubsetStatistics): Of the training subset.
        ranges (Sequence[tuple[float, float]]): Regression range of each level, grid steps.

    Returns:
        str: The table, which ends with the share that no level learns; below it a line, where all
        shares together are more than 1.
    """
    shares, missed = level_shares(found.segments, ranges)
    rows = [['level', 'steps between points', 'regression range', 'instances']]
    rows += [[level, 2**level, f'{low:g}-{high:g}', _percent(share)]
             for level, ((low, high), share) in enumerate(zip(ranges, shares))]
    rows.append(['none', '', '', _percent(missed)])
    table = _table(rows, 'which levels learn the training instances')
    together = float(shares.sum()) + missed
    if together <= 1.0005:
        return table
    return (f'{table}\n{_percent(together)} together: points of several levels may learn the same '
            'instance, which counts at each')


def suggestions_table(rows: Sequence[tuple[str, str, str]]) -> str:
    """Write a table of settings: name, value and reason of each."""
    cells = [[name, value, fill(reason, 68)] for name, value, reason in rows]
    return AsciiTable([['setting', 'suggested', 'because'], *cells],
                      'settings that fit the training subset').table
