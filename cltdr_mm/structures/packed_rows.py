"""PackedRows: a batch of sequences as one table of rows, and the way there and back."""
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Optional

import torch
import torch.nn.functional as F
from torch import Tensor

from .layout import Layout
from .row_numbers import GAP


@dataclass(frozen=True)
class PackedRows:
    """Sequences of one level, or a whole pyramid, in one table.

    Args:
        rows (Tensor): (R, C).
        layout (Layout): Which rows belong to which sequence.
    """

    rows: Tensor
    layout: Layout


def pack(sequences: Sequence[Tensor], seen: Optional[Sequence[int]] = None,
         gap: int = GAP) -> PackedRows:
    """Put sequences into one table.

    Args:
        sequences (Sequence[Tensor]): (T_i, C) each, of one type and device.
        seen (Sequence[int], optional): See :class:`Layout`. Defaults to None: no padding.
        gap (int): See :class:`Layout`. Defaults to 3.

    Returns:
        PackedRows: Zero in gaps and at padding.
    """
    layout = Layout([x.shape[0] for x in sequences], seen, gap=gap, device=sequences[0].device)
    parts = [sequences[0].new_zeros(gap, sequences[0].shape[1])]
    for x, size in zip(sequences, layout.seen):
        parts.append(F.pad(x, (0, 0, 0, size + gap - x.shape[0])))
    return PackedRows(torch.cat(parts), layout)


def pack_padded(x: Tensor, mask: Tensor, level: int = 0) -> PackedRows:
    """Put a padded batch into one table; what stands in the padding is left out.

    Args:
        x (Tensor): (B, C, T).
        mask (Tensor): (B, T) bool, True where valid: the first steps of every sequence.
        level (int): Level of the pyramid. Defaults to 0.

    Returns:
        PackedRows: The batch.

    Raises:
        ValueError: If the shapes are not these, or the mask is none, see :func:`valid_lengths`.
    """
    if x.dim() != 3 or mask.shape != (x.shape[0], x.shape[2]):
        raise ValueError('features must be (batch, channels, steps) and their mask (batch, '
                         f'steps), got {tuple(x.shape)} and {tuple(mask.shape)}')
    lengths = valid_lengths(mask)
    packed = pack([row[:, :length].t() for row, length in zip(x, lengths)])
    layout = Layout(lengths, levels=[level] * len(lengths), device=x.device)
    return PackedRows(packed.rows, layout)


def valid_lengths(mask: Tensor) -> list[int]:
    """Number of valid steps of every sequence of a padded batch.

    Args:
        mask (Tensor): (B, T) bool, True where valid.

    Returns:
        list[int]: B numbers.

    Raises:
        TypeError: If the mask is not of bools.
        ValueError: If the valid steps of a sequence are not its first ones, or there are none.
    """
    if mask.dtype != torch.bool:
        raise TypeError(f'a mask must be bool, got {mask.dtype}')
    lengths = mask.sum(dim=1).tolist()
    if min(lengths) == 0:
        raise ValueError(f'sequence {lengths.index(0)} of the batch has no valid step')
    if (mask[:, 1:] & ~mask[:, :-1]).any():
        raise ValueError('valid steps must be the first ones of a sequence, but the mask has a '
                         'valid step after one that is not')
    return lengths


def unpack(packed: PackedRows, steps: Optional[int] = None) -> tuple[Tensor, Tensor]:
    """Make a padded batch of the sequences of one table.

    Args:
        packed (PackedRows): B sequences.
        steps (int, optional): Steps T to pad to. Defaults to None: the most that one sees.

    Returns:
        tuple[Tensor, Tensor]: (B, C, T), zero beyond what is seen, and (B, T) bool, True where
        valid.
    """
    layout = packed.layout
    steps = max(layout.seen) if steps is None else steps
    padded = [F.pad(block, (0, 0, 0, steps - block.shape[1]))
              for block in layout.blocks(packed.rows)]
    lengths = torch.tensor(layout.lengths, device=layout.device)
    mask = torch.arange(steps, device=layout.device) < lengths[:, None]
    return torch.cat(padded).transpose(1, 2), mask


def stack_rows(levels: Sequence[PackedRows]) -> PackedRows:
    """Put the levels of a pyramid into one table, finest first.

    Args:
        levels (Sequence[PackedRows]): One table a level, of one width and gap.

    Returns:
        PackedRows: All of them; between two levels lies one gap.
    """
    gap = levels[0].layout.gap
    parts = [levels[0].rows] + [level.rows[gap:] for level in levels[1:]]
    return PackedRows(torch.cat(parts), Layout.stack([level.layout for level in levels]))


def split_levels(packed: PackedRows) -> list[PackedRows]:
    """The levels of a table that :func:`stack_rows` made.

    Args:
        packed (PackedRows): The whole pyramid.

    Returns:
        list[PackedRows]: One table a level, finest first.
    """
    layout, levels = packed.layout, []
    for number in sorted(set(layout.levels)):
        chosen = [i for i, level in enumerate(layout.levels) if level == number]
        last = chosen[-1]
        end = layout.first[last] + layout.seen[last] + layout.gap
        part = Layout(*([values[i] for i in chosen] for values in (
            layout.lengths, layout.seen, layout.levels, layout.videos)), layout.gap, layout.device)
        levels.append(PackedRows(packed.rows[layout.first[chosen[0]] - layout.gap:end], part))
    return levels
