"""Absolute sinusoid position encoding, as ActionFormer adds it to the embedded features.

Source: Vaswani et al., Attention Is All You Need, 3.5; ActionFormer for the 1 / sqrt(C) and the
stretching to sequences longer than the table.
"""
import torch
from torch import Tensor, nn

from ...structures import Layout
from ..layers import is_exported


def sinusoid_table(num_steps: int, channels: int) -> Tensor:
    """Sines (even channels) and cosines (odd channels) of geometrically spaced periods.

    Args:
        num_steps (int): Number of positions.
        channels (int): Number of channels C.

    Returns:
        Tensor: (num_steps, C) float32.
    """
    exponent = 2 * (torch.arange(channels, dtype=torch.float64) // 2) / channels
    angle = torch.arange(num_steps, dtype=torch.float64)[:, None] / 10000.0**exponent
    return torch.where(torch.arange(channels) % 2 == 0, angle.sin(), angle.cos()).float()


class SinusoidPosition(nn.Module):
    """Adds a fixed sinusoid to the valid rows.

    A batch that sees more steps than the table has gets the table stretched linearly, each
    sequence to the steps it sees.

    Args:
        channels (int): Number of channels C.
        max_len (int): Number of steps in the table; in the published models the longest training
            input. Defaults to 2304.
    """

    def __init__(self, channels: int, max_len: int = 2304) -> None:
        super().__init__()
        self.max_len = max_len
        self.register_buffer(
            'table', sinusoid_table(max_len, channels) / channels**0.5, persistent=False)

    def encoding(self, steps: int) -> Tensor:
        """The encoding (steps, C) of a sequence."""
        if not is_exported() and steps <= self.max_len:
            return self.table[:steps]
        # Step centres of one grid on the other, as linear interpolation aligns them. On the CPU,
        # where there is float64: the digits of a late step are needed.
        position = torch.arange(steps, dtype=torch.float64)
        stretch = (position.new_ones(1) * self.max_len / steps).clamp(max=1)
        position = ((position + 0.5) * stretch - 0.5).clamp(0, self.max_len - 1)
        low = position.long()
        weight = (position - low).to(self.table)
        low = low.to(self.table.device)
        high = (low + 1).clamp(max=self.max_len - 1)
        return torch.lerp(self.table[low], self.table[high], weight[:, None])

    def forward(self, x: Tensor, layout: Layout) -> Tensor:
        """Add the encoding to the valid rows of a table (R, C)."""
        parts = [self.encoding(seen)[:valid] for seen, valid in zip(layout.seen, layout.lengths)]
        return x.index_add(0, layout.valid_rows, torch.cat(parts).to(x.dtype))
