#!/usr/bin/env python
"""Write the tables of a page from the JSON file of benchmark_methods.py.

A table is written where a comment above it names the file, relative to the page::

    <!-- figures: hapt_benchmark.json -->
    | | config | parameters | .3:.1:.7 | .5:.05:.95 | what you like |
    |---|---|---|---|---|---|
    | CLTDR-GMG | `cltdr_hapt.py` | | | | stays as it is |

Columns are filled by their heading: ``parameters``, ``s/epoch``, ``seeds``, an average mAP by its
tIoUs, the mAP at one tIoU as ``.75``, and any of these two in one fold as ``.3:.1:.7, fold 0``. A
row names its config, or compares two: ```one` over `other```. Other cells stay.

Examples::

    python tools/benchmark_tables.py docs/methods/comparison.md
    python tools/benchmark_tables.py work_dirs/benchmark/runs.json
"""
import argparse
import re
import statistics
from collections import defaultdict
from pathlib import Path
from typing import Optional

from benchmark_figures import Run, read_runs
from scipy.stats import t as student

from cltdr_mm.utils import atomic_path, exit_on_error

#: Averages by the heading of their column.
AVERAGES = {'.3:.1:.7': 'average_mAP', '.5:.05:.95': 'average_mAP@0.5:0.95'}
#: A difference is bold below this two-sided p-value of Welch's t-test.
LEVEL = 0.05
_FIGURE = re.compile(r'(\.3:\.1:\.7|\.5:\.05:\.95|\.\d+)(?:, fold (\d+))?')
_MARK = re.compile(r'<!-- figures: (\S+) -->')


def percents(runs: list[Run], heading: str) -> dict[int, list[float]]:
    """Percent by fold, a value a seed.

    Args:
        runs (list[dict]): Of one config.
        heading (str): Such as ``'.3:.1:.7'`` or ``'.75, fold 1'``.

    Returns:
        dict[int, list[float]]: The fold is -1 for the test set.
    """
    tious, fold = _FIGURE.fullmatch(heading).groups()
    values = defaultdict(list)
    for run in runs:
        if fold is None or run['fold'] == int(fold):
            value = run[AVERAGES[tious]] if tious in AVERAGES else run['mAP'][f'0{tious}']
            values[-1 if run['fold'] is None else run['fold']].append(100 * value)
    return dict(values)


def mean_and_spread(values: dict[int, list[float]]) -> str:
    """Mean of the folds' means, and the standard deviation between seeds.

    Args:
        values (dict[int, list[float]]): Percent by fold; the test set is one fold.

    Returns:
        str: Such as ``'51.00 ± 1.41'``; ``'51.00'`` where some fold has one seed only.
    """
    mean = statistics.fmean(map(statistics.fmean, values.values()))
    if any(len(seeds) < 2 for seeds in values.values()):
        return f'{mean:.2f}'
    spread = statistics.fmean(map(statistics.variance, values.values())) ** 0.5
    return f'{mean:.2f} ± {spread:.2f}'


def difference(one: dict[int, list[float]],
               other: dict[int, list[float]]) -> tuple[float, Optional[float], Optional[float]]:
    """Compare two configs in the folds that both have, by Welch's t-test.

    The difference is the mean of those within folds; its variance is that between seeds, with
    Satterthwaite's degrees of freedom: for two means over n seeds n - 1 to 2 (n - 1).

    Args:
        one (dict[int, list[float]]): Percent by fold, a value a seed.
        other (dict[int, list[float]]): The same.

    Returns:
        tuple[float, float or None, float or None]: Difference of the means, its standard error
        and two-sided p-value, both None where a fold has one seed only.

    Raises:
        ValueError: If they have no fold in common.
    """
    folds = sorted(set(one) & set(other))
    if not folds:
        raise ValueError('they were never judged on the same fold')
    mean = statistics.fmean(statistics.fmean(one[f]) - statistics.fmean(other[f]) for f in folds)
    samples = [side[fold] for fold in folds for side in (one, other)]
    if any(len(sample) < 2 for sample in samples):
        return mean, None, None
    parts = [(statistics.variance(sample) / len(sample) / len(folds)**2, len(sample) - 1)
             for sample in samples]
    variance = sum(part for part, _ in parts)
    if variance == 0:
        return mean, 0., float(mean == 0)
    freedom = variance**2 / sum(part**2 / number for part, number in parts)
    return mean, variance**0.5, float(2 * student.sf(abs(mean) / variance**0.5, freedom))


def cell(heading: str, runs: list[Run]) -> Optional[str]:
    """What stands in a column of a config's row; None if the column is not one of figures."""
    if heading == 'parameters':
        return f"{runs[0]['parameters'] / 1e6:.2f} M"
    if heading == 's/epoch':
        times = [run['epoch_seconds'] for run in runs if 'epoch_seconds' in run]
        return f'{statistics.median(times):.1f}' if times else '-'
    if heading == 'seeds':
        numbers = {len(seeds) for seeds in percents(runs, '.3:.1:.7').values()}
        return ' to '.join(map(str, sorted({min(numbers), max(numbers)})))
    if not _FIGURE.fullmatch(heading):
        return None
    values = percents(runs, heading)
    return mean_and_spread(values) if values else '-'


def difference_cell(heading: str, one: list[Run], other: list[Run]) -> Optional[str]:
    """What stands in a column of a row that compares two configs; None as of :func:`cell`."""
    if not _FIGURE.fullmatch(heading):
        return None
    mean, error, p = difference(percents(one, heading), percents(other, heading))
    if error is None:
        return f'{mean:+.2f}'
    text = f'{mean:+.2f} ± {error:.2f}'
    return f'**{text}**' if p < LEVEL else text


def runs_table(runs: list[Run]) -> str:
    """A Markdown table of all configs, with a column for each average and fold."""
    folds = sorted({run['fold'] for run in runs if run['fold'] is not None})
    headings = ['config', 'parameters', 'seeds', *AVERAGES,
                *(f'{tious}, fold {fold}' for tious in AVERAGES for fold in folds), 's/epoch']
    lines = [headings, ['---'] * len(headings)]
    for name in dict.fromkeys(run['config'] for run in runs):
        own = [run for run in runs if run['config'] == name]
        lines.append([f'`{name}`', *(cell(heading, own) for heading in headings[1:])])
    return '\n'.join(f'| {" | ".join(line)} |' for line in lines)


def filled_page(text: str, folder: Path) -> str:
    """Fill the tables of a page.

    Args:
        text (str): The page, Markdown.
        folder (Path): Its folder.

    Returns:
        str: The page with the figures of the JSON files that its comments name.

    Raises:
        ValueError: If a row names no config, or one without runs.
    """
    lines, table = [], None
    for line in text.splitlines():
        mark = _MARK.fullmatch(line.strip())
        if mark:
            path, table = folder / mark.group(1), []
            if not path.is_file():
                raise ValueError(f'there is no file {path}')
            runs = read_runs(path)
        elif table is not None and line.startswith('|'):
            table.append([part.strip() for part in line.strip().strip('|').split('|')])
            if len(table) > 2:
                line = _filled_row(table[0], table[-1], runs, path)
        elif table:
            table = None
        lines.append(line)
    return '\n'.join(lines) + '\n' * text.endswith('\n')


def _filled_row(headings: list[str], row: list[str], runs: list[Run], path: Path) -> str:
    compared = re.search(r'`(\S+)` over `(\S+)`', ' '.join(row))
    names = list(compared.groups() if compared else re.findall(r'`([^`]+)`', ' '.join(row))[:1])
    names = [name.rpartition('/')[2].removesuffix('.py') for name in names]
    own = [[run for run in runs if run['config'] == name] for name in names]
    if not own or not all(own):
        raise ValueError(f'{path} has no runs of the row | {" | ".join(row)} |')
    if len(headings) != len(row):
        raise ValueError(f'{len(headings)} headings, but {len(row)} cells in | {" | ".join(row)} |')
    fill = difference_cell if compared else cell
    figures = (fill(heading, *own) for heading in headings)
    return '|' + ''.join(f' {new or old} |'.replace('  ', ' ') for new, old in zip(figures, row))


@exit_on_error()
def main(argv=None) -> None:
    """Rewrite pages, print the tables of JSON files."""
    parser = argparse.ArgumentParser(description='Tables of benchmark_methods.py')
    parser.add_argument('files', nargs='+', type=Path,
                        help='pages (.md), whose tables are written, or JSON files, of which a '
                        'table is printed')
    for path in parser.parse_args(argv).files:
        if path.suffix != '.md':
            if not path.is_file():
                raise ValueError(f'there is no file {path}')
            print(runs_table(read_runs(path)))
            continue
        text = filled_page(path.read_text('utf-8'), path.parent)
        with atomic_path(path) as temporary:
            Path(temporary).write_text(text, encoding='utf-8')


if __name__ == '__main__':
    main()
