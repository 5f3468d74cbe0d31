"""Self-attention over time: global, or within a window in linear memory."""
from typing import Optional

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...structures import Layout
from .conv import Conv
from .convolution import is_exported


def local_attention(query: Tensor, key: Tensor, value: Tensor, window: int,
                    dropout: float = 0.0) -> Tensor:
    """Attention of step i to the steps j with ``|i - j| <= window // 2``.

    Queries are cut into blocks; a block sees its own steps and ``window // 2`` on either side.
    Memory and time grow linearly in T.

    Args:
        query (Tensor): (B, H, T, d).
        key (Tensor): (B, H, T, d).
        value (Tensor): (B, H, T, d).
        window (int): Window in steps.
        dropout (float): Probability of dropping an attention weight. Defaults to 0.0.

    Returns:
        Tensor: (B, H, T, d).
    """
    batch, heads, steps, width = query.shape
    reach = window // 2
    # Any block length is right; twice the reach halves the work of unneeded pairs, and blocks
    # under 16 steps leave matrix units idle.
    block = max(2 * reach, 16)
    num_blocks = (steps + block - 1) // block
    extra = num_blocks * block - steps

    def neighbourhoods(x: Tensor) -> Tensor:  # (B, H, T, d) -> (B, N, H, block + 2 * reach, d)
        x = F.pad(x, (0, 0, reach, reach + extra))
        if is_exported():  # of any number of blocks
            x = x.index_select(2, (first + other + reach).flatten())
            return x.unflatten(2, (num_blocks, block + 2 * reach)).transpose(1, 2)
        return x.unfold(2, block + 2 * reach, block).permute(0, 2, 1, 4, 3)

    query = F.pad(query, (0, 0, 0, extra)).view(batch, heads, num_blocks, block, width)
    query = query.transpose(1, 2)  # (B, N, H, block, d)
    # S = block + 2 * reach keys of each block: which are steps of the sequence, and near enough
    first = torch.arange(num_blocks, device=query.device)[:, None, None] * block
    own = torch.arange(block, device=query.device)[:, None]
    other = torch.arange(block + 2 * reach, device=query.device) - reach
    inside = (first + other >= 0) & (first + other < steps)  # (N, 1, S)
    distance = other - own  # (block, S)
    # A query always sees itself: those beyond the end stay finite.
    allowed = (distance.abs() <= reach) & inside | (distance == 0)  # (N, block, S)
    out = F.scaled_dot_product_attention(
        query.flatten(0, 1),
        neighbourhoods(key).flatten(0, 1),
        neighbourhoods(value).flatten(0, 1),
        attn_mask=allowed.repeat(batch, 1, 1)[:, None],
        dropout_p=dropout)  # (B * N, H, block, d)
    out = out.view(batch, num_blocks, heads, block, width).transpose(1, 2)
    return out.reshape(batch, heads, num_blocks * block, width)[:, :, :steps]


class LocalSelfAttention(nn.Module):
    """Multi-head self-attention of the valid rows of every sequence.

    Args:
        channels (int): Number of channels C.
        num_heads (int): Divides ``channels``. Defaults to 4.
        window (int): Window in steps, i attends to ``|i - j| <= window // 2``; 1 or less means
            all steps. Defaults to -1.
        dropout (float): Probability of dropping output values. Defaults to 0.0.
        attn_dropout (float, optional): Of dropping attention weights. Defaults to None: the same.

    Raises:
        ValueError: If ``channels`` is not a multiple of ``num_heads``.
    """

    def __init__(self,
                 channels: int,
                 num_heads: int = 4,
                 window: int = -1,
                 dropout: float = 0.0,
                 attn_dropout: Optional[float] = None) -> None:
        super().__init__()
        if channels % num_heads:
            raise ValueError(f'{channels} channels do not split into {num_heads} heads')
        self.num_heads = num_heads
        self.window = window
        self.dropout = dropout
        self.attn_dropout = dropout if attn_dropout is None else attn_dropout
        self.query = Conv(channels, channels, 1)
        self.key = Conv(channels, channels, 1)
        self.value = Conv(channels, channels, 1)
        self.proj = Conv(channels, channels, 1)

    def attend(self, query: Tensor, key: Tensor, value: Tensor, layout: Layout) -> Tensor:
        """Project, attend, project back.

        Args:
            query (Tensor): (R, C) what queries are made of.
            key (Tensor): (R, C) what keys are made of.
            value (Tensor): (R, C) what values are made of.
            layout (Layout): Of their rows.

        Returns:
            Tensor: (R, C), zero outside of valid rows but in gaps, which mean nothing.
        """
        tables = self.query(query), self.key(key), self.value(value)
        blocks = zip(*(layout.blocks(x, valid_only=True) for x in tables))
        out = self.proj(layout.join([self.attend_block(*block) for block in blocks]))
        return layout.zero_padding(F.dropout(out, self.dropout, self.training))

    def attend_block(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Attention within whole sequences, each argument and the result (b, T, C)."""
        dropout = self.attn_dropout if self.training else 0.0
        # from x's own sizes: an export follows them
        heads = [x.reshape(*x.shape[:2], self.num_heads, -1).transpose(1, 2)  # (b, H, T, d)
                 for x in (query, key, value)]
        if self.window > 1:
            out = local_attention(*heads, self.window, dropout)
        else:
            out = F.scaled_dot_product_attention(*heads, dropout_p=dropout)
        return out.transpose(1, 2).flatten(2)

    def forward(self, x: Tensor, layout: Layout) -> Tensor:
        """Self-attention of a table (R, C), see :meth:`attend`."""
        return self.attend(x, x, x, layout)
