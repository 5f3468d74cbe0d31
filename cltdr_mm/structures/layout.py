"""Layout: what is done to a table of rows, sequence by sequence.

Which rows are whose is counted in ``row_numbers.py``; here tables (R, C) are zeroed where nothing
is, taken apart into blocks of whole sequences and put together, averaged, and brought to the
layouts of other tables: wider gaps, half the steps, all levels in one.
"""
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Optional

import torch
import torch.nn.functional as F
from torch import Tensor

from .row_numbers import RowNumbers

#: Sums that the mean of a sequence is made of.
PARTS = 16


class Layout(RowNumbers):
    """The sequences of one table, and what is done to it; made as :class:`RowNumbers`."""

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
    def covering(self) -> Tensor:
        """(N,) for every seen row, the row of :attr:`half` that covers it."""
        return (self._per_row(self.half.first) + self.step // 2).index_select(0, self.seen_rows)

    @classmethod
    def stack(cls, layouts: Sequence['Layout']) -> 'Layout':
        """The layout of all levels in one table, see :func:`.stack_rows`."""
        return cls([n for layout in layouts for n in layout.lengths],
                   [n for layout in layouts for n in layout.seen],
                   [n for layout in layouts for n in layout.levels],
                   [n for layout in layouts for n in layout.videos],
                   layouts[0].gap, layouts[0].device)
