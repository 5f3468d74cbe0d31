"""Layout: which rows of a table belong to which sequence.

A batch is one table of rows (R, C): sequences one under another, with `gap` zero rows before,
between and after them. A convolution over the whole table then sees zeros beyond either end of a
sequence, as if it stood alone.

Names: S sequences, B videos, R rows. Of the rows of a sequence those that are *seen* take part in
what the layers compute; the first of them are *valid*, features of the video. Seen rows that are
not valid are padding, and there are none unless the weights of a model were trained with it.
"""
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Optional, Union

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

#: Zero rows between sequences: enough for kernels of up to 7 rows.
GAP = 3
#: Sums that the mean of a sequence is made of.
PARTS = 16


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


class Layout:
    """The sequences of one table.

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

    def check(self, x: Tensor) -> None:
        """Raise ValueError unless x is a table of this layout, (R, C)."""
        if x.dim() != 2 or x.shape[0] != self.num_rows:
            raise ValueError(f'a table of {self.num_rows} rows was expected, got '
                             f'{tuple(x.shape)}')

    # what is zero

    def zero_gaps(self, x: Tensor, inplace: bool = False) -> Tensor:
        """Zero the rows (R, C) of no sequence: needed before a layer that looks at other rows."""
        fill = x.index_fill_ if inplace else x.index_fill
        return fill(0, self.gap_rows, 0)

    def zero_padding(self, x: Tensor) -> Tensor:
        """Zero the rows (R, C) that are seen but not valid, as published code does by its masks."""
        return x if self.padding_rows is None else x.index_fill(0, self.padding_rows, 0)

    def place(self, values: Tensor, rows: Optional[Tensor] = None) -> Tensor:
        """A table (R, C) of values (N, C) at rows (N,), by default all seen ones; else zero."""
        rows = self.seen_rows if rows is None else rows
        if self.is_open:
            return values.new_zeros(self.num_rows, values.shape[1]).index_put((rows, ), values)
        return values.new_zeros(self.num_rows, values.shape[1]).index_copy(0, rows, values)

    # one sequence at a time

    @cached_property
    def _runs(self) -> list[tuple[int, int, int]]:
        """(sequences, seen rows, valid rows) of neighbours that are of one size."""
        runs: list[tuple[int, int, int]] = []
        for seen, valid in zip(self.seen, self.lengths):
            if runs and runs[-1][1:] == (seen, valid):
                runs[-1] = (runs[-1][0] + 1, seen, valid)
            else:
                runs.append((1, seen, valid))
        return runs

    def blocks(self, x: Tensor, valid_only: bool = False) -> list[Tensor]:
        """The sequences of a table; neighbours of one size come together.

        Args:
            x (Tensor): (R, C).
            valid_only (bool): Whether to leave padding out. Defaults to False.

        Returns:
            list[Tensor]: (b, T, C) each: one block for a batch of equal lengths.
        """
        sizes = [count * (seen + self.gap) for count, seen, _ in self._runs]
        parts = x.split([self.gap, *sizes])[1:]
        return [part.unflatten(0, (count, seen + self.gap))[:, :valid if valid_only else seen]
                for part, (count, seen, valid) in zip(parts, self._runs)]

    def join(self, blocks: Sequence[Tensor]) -> Tensor:
        """Make a table of blocks.

        Args:
            blocks (Sequence[Tensor]): (b, T, C) each, as :meth:`blocks` gives them.

        Returns:
            Tensor: (R, C), zero in gaps, and at padding if blocks hold valid rows only.

        Raises:
            ValueError: If a block has another number of sequences or rows.
        """
        gap = blocks[0].new_zeros(self.gap, blocks[0].shape[-1])
        parts = [gap]
        for block, (count, seen, valid) in zip(blocks, self._runs):
            if block.shape[0] != count or block.shape[1] not in (seen, valid):
                raise ValueError(f'a block of {count} sequences of {seen} rows came back as '
                                 f'{tuple(block.shape)}')
            if count == 1 and block.shape[1] == seen:
                parts += [block[0], gap]
            else:
                block = F.pad(block, (0, 0, 0, seen + self.gap - block.shape[1]))
                parts.append(block.flatten(0, 1))
        return torch.cat(parts)

    def apply(self, function: Callable[[Tensor], Tensor], x: Tensor,
              valid_only: bool = False) -> Tensor:
        """Run a function from (b, T, C) to (b, T, C') on every sequence of a table.

        Args:
            function (Callable): The function.
            x (Tensor): (R, C).
            valid_only (bool): See :meth:`blocks`. Defaults to False.

        Returns:
            Tensor: (R, C'), zero in gaps.
        """
        return self.join([function(block) for block in self.blocks(x, valid_only)])

    def mean(self, x: Tensor) -> Tensor:
        """Mean of every sequence of a table (R, C) over its seen rows, (S, C).

        Half precision is summed in float32. A sequence is summed in parts: one sum of many thousand
        rows would lose digits.
        """
        bucket, counts = self._buckets
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        if self.is_open:
            return torch.cat([block.mean(1) for block in self.blocks(wide)]).to(x.dtype)
        sums = wide.new_zeros((len(self) + 1) * PARTS, x.shape[1]).index_add(0, bucket, wide)
        return (sums.view(len(self) + 1, PARTS, -1)[:-1].sum(1) / counts).to(x.dtype)

    @cached_property
    def _buckets(self) -> tuple[Tensor, Tensor]:
        """(R,) the part of its sequence's sum that a row counts to, and (S, 1) numbers of rows."""
        # gaps count to a sequence beyond the last
        sequence = self.sequence.index_fill(0, self.gap_rows, len(self))
        counts = torch.tensor(self.seen, dtype=torch.float32, device=self.device)[:, None]
        return sequence * PARTS + self.step % PARTS, counts

    def max(self, x: Tensor) -> Tensor:
        """Maximum of every sequence of a table (R, C) over its seen rows, (S, C)."""
        return torch.cat([block.amax(1) for block in self.blocks(x)])

    def expand(self, values: Tensor) -> Tensor:
        """Values (S, C) of the sequences at each of their rows, (R, C)."""
        return values.index_select(0, self.sequence)

    # other layouts

    def with_gap(self, gap: int) -> 'Layout':
        """The same sequences with more zero rows between them."""
        return Layout(self.lengths, self.seen, self.levels, self.videos, gap, self.device)

    def move(self, x: Tensor, other: 'Layout') -> Tensor:
        """A table (R, C) of this layout as one of another, whose sequences see as many rows."""
        return other.place(x.index_select(0, self.seen_rows))

    @cached_property
    def half(self) -> 'Layout':
        """The next level of the pyramid: of every n rows ceil(n / 2), row t where 2 t was."""
        return Layout([(n + 1) // 2 for n in self.lengths], [(n + 1) // 2 for n in self.seen],
                      [level + 1 for level in self.levels], self.videos, self.gap, self.device)

    @cached_property
    def every_second(self) -> Tensor:
        """Rows that the rows of :attr:`half` lie on."""
        return self._ranges([(first, first + size) for first, size
                             in zip(self.first, self.seen)], step=2)

    @cached_property
    def covering(self) -> Tensor:
        """(N,) for every seen row, the row of :attr:`half` that covers it."""
        return (self._per_row(self.half.first) + self.step // 2).index_select(0, self.seen_rows)

    @cached_property
    def pooled_rows(self) -> tuple[Tensor, Tensor, Tensor]:
        """Rows before, on and after those of :attr:`every_second`, within their sequence.

        Beyond either end the sequence's own first or last row stands in.
        """
        middle = self.every_second
        step, last = (x.index_select(0, middle) for x in (self.step, self.last_row))
        return middle - (step > 0).to(middle.dtype), middle, (middle + 1).minimum(last)

    @classmethod
    def stack(cls, layouts: Sequence['Layout']) -> 'Layout':
        """The layout of all levels in one table, see :func:`.stack_rows`."""
        return cls([n for layout in layouts for n in layout.lengths],
                   [n for layout in layouts for n in layout.seen],
                   [n for layout in layouts for n in layout.levels],
                   [n for layout in layouts for n in layout.videos],
                   layouts[0].gap, layouts[0].device)

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
