"""Tables of `compare.py`: two sides, their ratio, and how sure it is."""
import platform
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Optional

import torch

SIDES = ('rev', 'tree')


@dataclass
class Table:
    """Numbers of one kind of work.

    Args:
        title (str): What was done.
        unit (str): Of the numbers.
        config (str): With which config.
        rows (dict): Per row and side the numbers of all rounds, round after round.
        values (dict): Per row and side what came out (a loss, a score).
        notes (list): What is to be said below the table.
    """

    title: str
    unit: str
    config: str
    rows: dict = field(default_factory=dict)
    values: dict = field(default_factory=dict)
    notes: list = field(default_factory=list)

    def add(self, name: str, numbers: dict, values: Optional[dict] = None) -> None:
        """Add a row."""
        self.rows[name] = numbers
        if values is not None:
            self.values[name] = values

    def sum_rows(self, name: str, rows: Sequence[str]) -> None:
        """Add a row that is the sum of others, round by round."""
        self.rows[name] = {side: [sum(x) for x in zip(*(self.rows[row][side] for row in rows))]
                           for side in SIDES}

    def middle(self, name: str, side: str) -> float:
        """Median of a row's rounds."""
        return statistics.median(self.rows[name][side])

    def ratios(self, name: str) -> list:
        """The revision's number over the working tree's, round by round."""
        return [rev / tree for rev, tree in zip(*(self.rows[name][side] for side in SIDES))]

    def ratio(self, name: str) -> float:
        """Median of the ratios: both numbers of one round were taken one after the other."""
        return statistics.median(self.ratios(name))

    def compare_values(self, what: str, tolerance: float = 1e-3) -> None:
        """Say below the table how far both sides' results agree (relative)."""
        worst = max(abs(v['rev'] - v['tree']) / max(abs(v['rev']), 1e-12)
                    for v in self.values.values())
        if worst <= tolerance:
            self.notes.append(f'The {what} agrees to {worst:.0e} (relative, worst row).' if worst
                              else f'The {what} is the same in every row.')
            return
        listed = '; '.join(f'{name}: {v["rev"]:.5g}, {v["tree"]:.5g}'
                           for name, v in self.values.items())
        self.notes.append(f'The {what} DIFFERS by up to {worst:.1e}, revision and working tree: '
                          f'{listed}.')

    def markdown(self, revision: str) -> str:
        """The table."""
        lines = [f'**{self.title[0].upper()}{self.title[1:]}**', '',
                 f'| | {revision}, {self.unit} | working tree, {self.unit} | ratio | single '
                 'rounds |', '|---|---|---|---|---|']
        for name in self.rows:
            numbers = [number(self.middle(name, side)) for side in SIDES]
            ratios = self.ratios(name)
            spread = f'{min(ratios):.2f} to {max(ratios):.2f}' if len(ratios) > 1 else ''
            lines.append(f'| {name} | {numbers[0]} | {numbers[1]} | {self.ratio(name):.2f} | '
                         f'{spread} |')
        return '\n'.join([*lines, *(['', *self.notes] if self.notes else [])])


def number(value: float) -> str:
    """Three digits, no exponent."""
    return f'{value:.0f}' if value >= 100 else f'{value:.3g}'


def as_markdown(comparison, revision: str, tree: str) -> str:
    """All tables of a comparison, with what they were measured with."""
    args = comparison.args
    where = platform.processor() or platform.machine()
    if args.device != 'cpu':
        where = torch.cuda.get_device_name()
    parts = [f'Revision {revision} against the working tree ({tree}): torch {torch.__version__}, '
             f'{where}, threads: {args.threads}, seed {args.seed}, rounds: {args.repeats}. The '
             "ratio is the revision's number over the working tree's, median of the rounds."]
    for config, notes in comparison.notes.items():
        parts += [f'### {config}', ' '.join(notes)]
        parts += [t.markdown(revision) for t in comparison.tables if t.config == config]
    return '\n\n'.join(parts) + '\n'
