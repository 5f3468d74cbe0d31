"""Absolute sinusoid position encoding, as ActionFormer adds it to the embedded features.

Source: Vaswani et al., Attention Is All You Need, 3.5; ActionFormer for the 1 / sqrt(C) and the
stretching to sequences longer than the table.
"""
from typing import Optional

import torch
from torch import Tensor, nn


def sinusoid_table(num_steps: int, channels: int) -> Tensor:
    """Sines (even channels) and cosines (odd channels) of geometrically spaced periods.

    Args:
        num_steps (int): Number of positions.
        channels (int): Number of channels C.

    Returns:
        Tensor: (C, num_steps) float32.
    """
    exponent = 2 * (torch.arange(channels, dtype=torch.float64) // 2) / channels
    angle = torch.arange(num_steps, dtype=torch.float64) / 10000.0**exponent[:, None]
    table = torch.where(torch.arange(channels)[:, None] % 2 == 0, angle.sin(), angle.cos())
    return table.float()


class SinusoidPosition(nn.Module):
    """Adds a fixed sinusoid to the valid steps.

    A sequence longer than the table gets the table stretched linearly to its length.

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

    def forward(self, x: Tensor, mask: Tensor, lengths: Optional[Tensor] = None) -> Tensor:
        """Add the encoding.

        Args:
            x (Tensor): (B, C, T).
            mask (Tensor): (B, T) bool, True where valid.
            lengths (Tensor, optional): (B,) number of steps to stretch the table to. By default
                every sample's own number of valid steps.

        Returns:
            Tensor: (B, C, T); padded steps are unchanged.
        """
        steps = x.shape[-1]
        if steps <= self.max_len:
            encoding = self.table[None, :, :steps]
        else:
            lengths = mask.sum(dim=1) if lengths is None else lengths
            ratio = (self.max_len / lengths.clamp(min=self.max_len).double())[:, None]
            position = torch.arange(steps, device=x.device, dtype=ratio.dtype)
            # Step centres of one grid on the other, as linear interpolation aligns them.
            position = ((position + 0.5) * ratio - 0.5).clamp(0, self.max_len - 1)  # (B, T)
            low = position.long()
            high = (low + 1).clamp(max=self.max_len - 1)
            weight = (position - low).to(self.table.dtype)
            encoding = torch.lerp(self.table[:, low], self.table[:, high], weight).transpose(0, 1)
        return x + encoding * mask[:, None].to(x.dtype)
