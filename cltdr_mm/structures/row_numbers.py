"""RowNumbers: where in a table the rows of its sequences are, as numbers of rows.

A batch is one table of rows (R, C): sequences one under another, with `gap` zero rows before,
between and after them. A convolution over the whole table then sees zeros beyond either end of a
sequence, as if it stood alone.

Names: S sequences, B videos, R rows. Of the rows of a sequence those that are *seen* take part in
what the layers compute; the first of them are *valid*, features of the video. Seen rows that are
not valid are padding, and there are none unless the weights of a model were trained with it.
"""
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Optional, Union

import numpy as np
import torch
from torch import Tensor

#: Zero rows between sequences: enough for kernels of up to 7 rows.
GAP = 3


@dataclass(frozen=True)
class CoarserRows:
    """Where the rows of a pyramid find the next coarser level.

    Row t of a level lies on row t / 2 of the coarser one if t is even, and between rows (t - 1) / 2
    and (t + 1) / 2 if it is odd.

    Attributes:
        even (Tensor): (N,) rows of even t.
        even_parent (Tensor): (N,) the rows they lie on.
        odd (Tensor): (M,) rows of odd t.
        odd_parent (Tensor): (M,) the earlier of their two rows; the later is the next one.
    """

    even: Tensor
    even_parent: Tensor
    odd: Tensor
    odd_parent: Tensor


class RowNumbers:
    """Where the sequences of one table lie: :class:`.Layout` without what is done to tables.

    Args:
        lengths (Sequence[int]): Per sequence, its number of valid rows, at least one.
        seen (Sequence[int], optional): Per sequence, its number of seen rows, at least the valid
            ones. Defaults to None: the same.
        levels (Sequence[int], optional): Per sequence, its level of the pyramid. Defaults to 0.
        videos (Sequence[int], optional): Per sequence, its video's number. Defaults to counting.
        gap (int): Zero rows around every sequence. Defaults to 3.
        device (torch.device): Where index tensors lie. Defaults to the CPU.

    Raises:
        ValueError: If there is no sequence, or one has no row or sees fewer than are valid.
    """

    def __init__(self,
                 lengths: Sequence[int],
                 seen: Optional[Sequence[int]] = None,
                 levels: Optional[Sequence[int]] = None,
                 videos: Optional[Sequence[int]] = None,
                 gap: int = GAP,
                 device: Union[str, torch.device] = 'cpu') -> None:
        self.lengths = tuple(lengths)
        self.seen = self.lengths if seen is None else tuple(seen)
        if not self.lengths:
            raise ValueError('a layout needs at least one sequence')
        if any(not 1 <= n <= s for n, s in zip(self.lengths, self.seen)):
            raise ValueError('every sequence needs 1 <= valid rows <= seen rows, got '
                             f'{self.lengths} of {self.seen}')
        self.levels = (0, ) * len(self.lengths) if levels is None else tuple(levels)
        self.videos = tuple(range(len(self.lengths))) if videos is None else tuple(videos)
        self.gap = gap
        self.device = torch.device(device)
        first, row = [], gap
        for size in self.seen:
            first.append(row)
            row = row + size + gap  # not in place: an export counts in tensors
        #: Per sequence, its first row.
        self.first = tuple(first)
        #: Rows R of the table, gaps included.
        self.num_rows = row

    def __len__(self) -> int:
        return len(self.lengths)

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(lengths={self.lengths}, seen={self.seen}, '
                f'levels={self.levels}, videos={self.videos}, gap={self.gap})')

    # row numbers

    def _ranges(self, ranges: list[tuple], step: int = 1) -> Tensor:
        """Numbers of several ranges (first, end), one after the other, (N,) int64."""
        if all(isinstance(bound, int) for bounds in ranges for bound in bounds):
            # on the host and in one transfer: torch would run an operator for each range
            parts = [np.arange(first, end, step) for first, end in ranges]
            return torch.from_numpy(np.concatenate([np.arange(0), *parts])).to(self.device)
        parts = [torch.arange(first, end, step, device=self.device) for first, end in ranges]
        return torch.cat(parts)

    @property
    def is_open(self) -> bool:
        """bool: Whether an export leaves the number of rows open: it is no number then."""
        return not isinstance(self.num_rows, int)

    def _of_sequences(self, sizes: Sequence[int]) -> Tensor:
        """The first rows of every sequence, as many as given."""
        return self._ranges([(first, first + size) for first, size in zip(self.first, sizes)])

    @cached_property
    def gap_rows(self) -> Tensor:
        """(G,) rows that belong to no sequence."""
        ends = [first + size for first, size in zip(self.first, self.seen)]
        return self._ranges([(end, end + self.gap) for end in (0, *ends)])

    @cached_property
    def padding_rows(self) -> Optional[Tensor]:
        """(P,) rows that are seen but not valid; None if there are none."""
        if self.lengths == self.seen:
            return None
        return self._ranges([(first + valid, first + size) for first, valid, size
                             in zip(self.first, self.lengths, self.seen)])

    @cached_property
    def seen_rows(self) -> Tensor:
        """Rows that are seen, in order."""
        return self._of_sequences(self.seen)

    @cached_property
    def valid_rows(self) -> Tensor:
        """(V,) rows that are valid, in order."""
        if self.lengths == self.seen:
            return self.seen_rows
        return self._of_sequences(self.lengths)

    @cached_property
    def valid(self) -> Tensor:
        """(R,) bool, whether a row is valid."""
        return (self.step >= 0) & (self.step < self.length)  # steps go on in the gap that follows

    def _per_row(self, values: Sequence[int]) -> Tensor:
        # a gap has the value of the sequence before it, the first gap that of the first
        sizes = [self.gap, *(size + self.gap for size in self.seen)]
        values = [values[0], *values]
        if all(isinstance(number, int) for number in (*sizes, *values)):
            return torch.from_numpy(np.repeat(np.array(values, np.int64), sizes)).to(self.device)
        return torch.cat([torch.full((size, ), value, device=self.device)
                          for size, value in zip(sizes, values)])

    @cached_property
    def sequence(self) -> Tensor:
        """(R,) int64, each row's sequence; a gap counts to the sequence before it."""
        return self._per_row(range(len(self)))

    @cached_property
    def level(self) -> Tensor:
        """(R,) int64, each row's level of the pyramid."""
        return self._per_row(self.levels)

    @cached_property
    def video(self) -> Tensor:
        """(R,) int64, each row's video."""
        return self._per_row(self.videos)

    @cached_property
    def step(self) -> Tensor:
        """(R,) int64, each row's number within its sequence; outside of it in a gap."""
        return self._ranges([(-self.gap, 0), *((0, size + self.gap) for size in self.seen)])

    @cached_property
    def length(self) -> Tensor:
        """(R,) int64, the number of valid rows of each row's sequence."""
        return self._per_row(self.lengths)

    @cached_property
    def last_row(self) -> Tensor:
        """(R,) int64, the last seen row of each row's sequence."""
        return self._per_row([first + size - 1 for first, size in zip(self.first, self.seen)])

    @cached_property
    def finest(self) -> tuple[Tensor, Tensor]:
        """(R,) int64 each, of each row's video on its finest level: first row, valid rows."""
        found = {}
        for first, length, video in zip(self.first, self.lengths, self.videos):
            found.setdefault(video, (first, length))  # levels come finest first
        return tuple(self._per_row([found[video][which] for video in self.videos])
                     for which in (0, 1))

    # every second row, on which the next level lies

    @cached_property
    def every_second(self) -> Tensor:
        """Rows that the rows of :attr:`half` lie on."""
        return self._ranges([(first, first + size) for first, size
                             in zip(self.first, self.seen)], step=2)

    @cached_property
    def pooled_rows(self) -> tuple[Tensor, Tensor, Tensor]:
        """Rows before, on and after those of :attr:`every_second`, within their sequence.

        Beyond either end the sequence's own first or last row stands in.
        """
        middle = self.every_second
        step, last = (x.index_select(0, middle) for x in (self.step, self.last_row))
        return middle - (step > 0).to(middle.dtype), middle, (middle + 1).minimum(last)

    # neighbouring levels in a stacked table

    def _neighbours(self, shift: int) -> list[tuple[int, int, int, int]]:
        """(first row, seen rows) of each sequence and of the same video's one `shift` levels up."""
        place = {key: i for i, key in enumerate(zip(self.levels, self.videos))}
        pairs = []
        for i, (level, video) in enumerate(zip(self.levels, self.videos)):
            other = place.get((level + shift, video))
            if other is None:
                continue
            fine, coarse = (i, other) if shift > 0 else (other, i)
            if self.seen[coarse] != (self.seen[fine] + 1) // 2:
                raise ValueError(f'video {video}: level {max(level, level + shift)} has '
                                 f'{self.seen[coarse]} steps over {self.seen[fine]}, not half')
            pairs.append((self.first[i], self.seen[i], self.first[other], self.seen[other]))
        return pairs

    @cached_property
    def coarser(self) -> CoarserRows:
        """The rows that have a coarser level, and their places on it.

        Raises:
            ValueError: If a level has not half the steps of the finer one.
        """
        pairs = self._neighbours(1)
        return CoarserRows(
            even=self._ranges([(first, first + size) for first, size, _, _ in pairs], step=2),
            even_parent=self._ranges([(row, row + (size + 1) // 2) for _, size, row, _ in pairs]),
            odd=self._ranges([(first + 1, first + size) for first, size, _, _ in pairs], step=2),
            odd_parent=self._ranges([(row, row + size // 2) for _, size, row, _ in pairs]))

    @cached_property
    def finer(self) -> tuple[Tensor, Tensor]:
        """(N,) rows that have a finer level, and (N,) the rows on it at the same time.

        Raises:
            ValueError: If a level has not half the steps of the finer one.
        """
        pairs = self._neighbours(-1)
        return (self._ranges([(first, first + size) for first, size, _, _ in pairs]),
                self._ranges([(row, row + size) for _, _, row, size in pairs], step=2))
