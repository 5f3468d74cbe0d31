"""HeadOutputs: what a head predicts, class logits at every row, everything else where it is read.

A ``Reading`` is a network and its input; training runs it near the positives only.
"""
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import repeat
from typing import Optional, Union

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...structures import Layout, PackedRows, RowSubset, split_levels, unpack

Finish = Callable[[Tensor, Tensor], Tensor]


class Reading:
    """The outputs of a network at rows of a table, computed for all of them or for those read.

    A boundary tower is read near the positives of a batch, a tenth of its rows. With the rows that
    its convolutions see around them it gives there what it gives on the whole table.

    Args:
        network (nn.Module): Maps ``(x, layout)`` to (R, D); ``reach`` says how many rows to either
            side an output depends on, ``kernel_reach`` how many one of its layers sees.
        x (Tensor): (R, C), its input, zero in gaps.
        layout (Layout): Of its rows.
        finish (Callable, optional): Applied to outputs (M, D) and their rows (M,).
            Defaults to None.
    """

    def __init__(self, network: nn.Module, x: Tensor, layout: Layout,
                 finish: Optional[Finish] = None) -> None:
        self.network = network
        self.x = x
        self.layout = layout
        self.finish = finish
        self._table: Optional[Tensor] = None
        #: Where each row of the layout stands in the table; None if it holds all rows.
        self._place: Optional[Tensor] = None

    @property
    def can_focus(self) -> bool:
        """bool: Whether rows can be computed apart: gaps have to be as wide as a kernel sees."""
        return self.network.kernel_reach <= self.layout.gap

    @property
    def is_complete(self) -> bool:
        """bool: Whether the network has run on all rows."""
        return self._table is not None and self._place is None

    def elsewhere(self) -> 'Reading':
        """The same outputs at rows that were not computed; this one if all were."""
        return self if self.is_complete else Reading(self.network, self.x, self.layout,
                                                     self.finish)

    def compute(self, rows: Optional[Tensor] = None) -> None:
        """Run the network.

        Args:
            rows (Tensor, optional): (M,) ascending rows, those to be read and the network's reach
                around them. Defaults to None: all.
        """
        if rows is None:
            table = self.network(self.x, self.layout)
            rows = torch.arange(self.x.shape[0], device=self.x.device)
        else:
            table = self.network(self.x.index_select(0, rows), RowSubset(self.layout, rows))
            # a row that is read but was not computed lies beyond the table: an IndexError
            self._place = rows.new_full((len(self.x), ), len(rows)).index_copy(
                0, rows, torch.arange(len(rows), device=rows.device))
        self._table = table if self.finish is None else self.finish(table, rows)

    def all(self) -> Tensor:
        """Outputs of all rows, (R, D)."""
        if self._table is None:
            self.compute()
        if not self.is_complete:
            raise RuntimeError('this network ran on some rows only')
        return self._table

    def at(self, rows: Tensor, channels: Optional[Tensor] = None) -> Tensor:
        """Outputs of chosen rows.

        Args:
            rows (Tensor): Row numbers of any shape; of those computed, if not all are.
            channels (Tensor, optional): Channel of each, a shape that broadcasts with the rows'.
                Defaults to None: all channels.

        Returns:
            Tensor: (...,) with channels, else (..., D).

        Raises:
            IndexError: If a row was not computed: :meth:`.PointHead.reads` has to name it.
        """
        if self._table is None:
            self.compute()
        place = rows if self._place is None else self._place[rows]
        return self._table[place] if channels is None else self._table[place, channels]


@dataclass
class HeadOutputs:
    """What a head predicts for a batch.

    Attributes:
        layout (Layout): Of the table of all levels and videos, R rows.
        cls_logits (Tensor): (R, K), whose sigmoid is the score; without meaning in gaps.
        readings (dict[str, Reading]): What :meth:`.PointHead.decode` needs, by name.
        tables (dict[str, Tensor]): Other outputs of all rows, (R, D) each.
        evidence (Tensor, optional): (R_0, D), what a head's refinement says at the rows of the
            finest level.
    """

    layout: Layout
    cls_logits: Tensor
    readings: dict[str, Reading] = field(default_factory=dict)
    tables: dict[str, Tensor] = field(default_factory=dict)
    evidence: Optional[Tensor] = None

    def at(self, name: str, rows: Tensor, channels: Optional[Tensor] = None) -> Tensor:
        """What one reading says at chosen rows, see :meth:`Reading.at`."""
        return self.readings[name].at(rows, channels)

    def compute_all(self) -> None:
        """Run all networks on all rows."""
        for reading in self.readings.values():
            reading.all()

    def focus(self, reads: Mapping[str, Tensor]) -> None:
        """Run the networks on the rows that will be read, and on no others.

        Args:
            reads (Mapping[str, Tensor]): Rows that will be read, by the reading's name.
        """
        readings = {name: self.readings[name] for name in reads
                    if self.readings[name].can_focus and not self.readings[name].is_complete}
        if not readings:
            return
        size = self.layout.num_rows
        needed = torch.stack([_spread(reads[name], size, reading.network.reach)
                              for name, reading in readings.items()])  # (n, R) bool
        # one transfer to the host; the sizes being known, the next line needs none
        counts = needed.sum(1).tolist()
        rows = needed.flatten().nonzero_static(size=sum(counts))[:, 0] % size
        for reading, count, part in zip(readings.values(), counts, rows.split(counts)):
            reading.compute(part if count < 0.8 * size else None)

    def elsewhere(self) -> 'HeadOutputs':
        """The same outputs, to be run on other rows than these were."""
        return replace(self, readings={name: reading.elsewhere()
                                       for name, reading in self.readings.items()})

    def per_level(self, steps: Optional[Sequence[int]] = None) -> dict[str, list[Tensor]]:
        """Everything as padded tensors: names to lists over levels of (B, D, T_l), and masks.

        Args:
            steps (Sequence[int], optional): Per level, the steps T_l to pad to. Defaults to None:
                the most that a video sees.
        """
        tables = dict(cls_logits=self.cls_logits, **self.tables)
        tables.update((name, reading.all()) for name, reading in self.readings.items())
        outs: dict[str, list[Tensor]] = {}
        for name, table in tables.items():
            table = self.layout.zero_padding(table)
            levels = split_levels(PackedRows(table, self.layout))
            levels = [unpack(level, size) for level, size in zip(levels, steps or repeat(None))]
            outs[name] = [x for x, _ in levels]
            outs['masks'] = [mask for _, mask in levels]
        return outs


def _spread(rows: Tensor, size: int, reach: int) -> Tensor:
    """Which of `size` rows lie within `reach` of given ones; never none, (size,) bool.

    A network that is read nowhere still runs on a row, so that its parameters take part, with a
    gradient of zero: distributed training waits for it.
    """
    mark = torch.zeros(1, 1, size, device=rows.device)
    mark[0, 0, rows.flatten()] = 1
    mark[0, 0, 0] = 1
    return F.max_pool1d(mark, 2 * reach + 1, 1, reach)[0, 0] > 0


Outputs = Union[HeadOutputs, dict[str, list[Tensor]]]
