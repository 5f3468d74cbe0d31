"""RowSubset: a few rows of a table, for layers that look no farther than their neighbours."""
import torch
from torch import Tensor

from .layout import Layout


class RowSubset:
    """Some rows of a table, in order, for layers that look at few neighbours.

    Args:
        layout (Layout): Of the whole table.
        rows (Tensor): (M,) int64, ascending.
    """

    def __init__(self, layout: Layout, rows: Tensor) -> None:
        self.gap = layout.gap
        self.num_rows = len(rows)
        # (M, 1) bool, whether a row is of no sequence, or not valid
        gaps = torch.zeros(layout.num_rows, dtype=torch.bool, device=rows.device)
        self._gaps = gaps.index_fill(0, layout.gap_rows, True)[rows, None]
        self._padding = None if layout.padding_rows is None else ~layout.valid[rows, None]

    #: See :meth:`Layout.check`.
    check = Layout.check

    def zero_gaps(self, x: Tensor, inplace: bool = False) -> Tensor:
        """Zero the rows (M, C) of no sequence."""
        return x.masked_fill_(self._gaps, 0) if inplace else x.masked_fill(self._gaps, 0)

    def zero_padding(self, x: Tensor) -> Tensor:
        """Zero the rows (M, C) that are not valid."""
        return x if self._padding is None else x.masked_fill(self._padding, 0)
