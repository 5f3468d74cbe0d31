"""Self-attention over time with key masks: global, or within a window in linear memory."""
import torch
import torch.nn.functional as F
from torch import Tensor, nn


def global_attention(query: Tensor,
                     key: Tensor,
                     value: Tensor,
                     mask: Tensor,
                     dropout: float = 0.0) -> Tensor:
    """Scaled dot-product attention of every step to every valid step.

    Args:
        query (Tensor): (B, H, T, d).
        key (Tensor): (B, H, T, d).
        value (Tensor): (B, H, T, d).
        mask (Tensor): (B, T) bool, True where valid.
        dropout (float): Probability of dropping an attention weight. Defaults to 0.0.

    Returns:
        Tensor: (B, H, T, d); padded queries hold finite numbers without meaning.
    """
    # The first step stays a key in any case: a row without keys would be a division by zero.
    keys = mask.clone()
    keys[:, 0] = True
    return F.scaled_dot_product_attention(
        query, key, value, attn_mask=keys[:, None, None], dropout_p=dropout)


def local_attention(query: Tensor,
                    key: Tensor,
                    value: Tensor,
                    mask: Tensor,
                    window: int,
                    dropout: float = 0.0) -> Tensor:
    """Attention of step i to the valid steps j with ``|i - j| <= window // 2``.

    Queries are cut into blocks; a block sees its own steps and ``window // 2`` on either side.
    Memory and time grow linearly in T.

    Args:
        query (Tensor): (B, H, T, d).
        key (Tensor): (B, H, T, d).
        value (Tensor): (B, H, T, d).
        mask (Tensor): (B, T) bool, True where valid.
        window (int): Window in steps.
        dropout (float): Probability of dropping an attention weight. Defaults to 0.0.

    Returns:
        Tensor: (B, H, T, d); padded queries hold finite numbers without meaning.
    """
    batch, heads, steps, width = query.shape
    reach = window // 2
    # Any block length is right; twice the reach halves the work of unneeded pairs, and blocks
    # under 16 steps leave matrix units idle.
    block = max(2 * reach, 16)
    num_blocks = -(-steps // block)
    extra = num_blocks * block - steps

    def neighbourhoods(x: Tensor) -> Tensor:  # (B, H, T, d) -> (B, N, H, block + 2 * reach, d)
        x = F.pad(x, (0, 0, reach, reach + extra))
        return x.unfold(2, block + 2 * reach, block).permute(0, 2, 1, 4, 3)

    query = F.pad(query, (0, 0, 0, extra)).view(batch, heads, num_blocks, block, width)
    query = query.transpose(1, 2)  # (B, N, H, block, d)
    keys = F.pad(mask, (reach, reach + extra)).unfold(1, block + 2 * reach, block)  # (B, N, S)
    distance = (torch.arange(block + 2 * reach, device=mask.device)
                - torch.arange(block, device=mask.device)[:, None] - reach)  # (block, S)
    # A query always sees itself: nothing changes for valid ones, padded ones stay finite.
    allowed = (distance.abs() <= reach) & keys[:, :, None] | (distance == 0)
    out = F.scaled_dot_product_attention(
        query.flatten(0, 1),
        neighbourhoods(key).flatten(0, 1),
        neighbourhoods(value).flatten(0, 1),
        attn_mask=allowed.flatten(0, 1)[:, None],
        dropout_p=dropout)  # (B * N, H, block, d)
    out = out.view(batch, num_blocks, heads, block, width).transpose(1, 2)
    return out.reshape(batch, heads, num_blocks * block, width)[:, :, :steps]


class LocalSelfAttention(nn.Module):
    """Multi-head self-attention of (B, C, T), within a window or global.

    Args:
        channels (int): Number of channels C.
        num_heads (int): Divides ``channels``. Defaults to 4.
        window (int): Window in steps, i attends to ``|i - j| <= window // 2``; 1 or less means
            all steps. Defaults to -1.
        dropout (float): Probability of dropping attention weights and output values.
            Defaults to 0.0.

    Raises:
        ValueError: If ``channels`` is not a multiple of ``num_heads``.
    """

    def __init__(self,
                 channels: int,
                 num_heads: int = 4,
                 window: int = -1,
                 dropout: float = 0.0) -> None:
        super().__init__()
        if channels % num_heads:
            raise ValueError(f'{channels} channels do not split into {num_heads} heads')
        self.num_heads = num_heads
        self.window = window
        self.dropout = dropout
        self.query = nn.Conv1d(channels, channels, 1)
        self.key = nn.Conv1d(channels, channels, 1)
        self.value = nn.Conv1d(channels, channels, 1)
        self.proj = nn.Conv1d(channels, channels, 1)
        for conv in (self.query, self.key, self.value, self.proj):
            nn.init.zeros_(conv.bias)

    def attend(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
        """Project, attend, project back.

        Args:
            query (Tensor): (B, C, T) what queries are made of.
            key (Tensor): (B, C, T) what keys are made of.
            value (Tensor): (B, C, T) what values are made of.
            mask (Tensor): (B, T) bool, True where valid.

        Returns:
            Tensor: (B, C, T), zero outside the mask.
        """

        def split(x: Tensor) -> Tensor:  # (B, C, T) -> (B, H, T, d)
            return x.unflatten(1, (self.num_heads, -1)).transpose(2, 3)

        query, key, value = split(self.query(query)), split(self.key(key)), split(
            self.value(value))
        dropout = self.dropout if self.training else 0.0
        if self.window > 1:
            out = local_attention(query, key, value, mask, self.window, dropout)
        else:
            # the fused kernels, linear in memory, want the width last in memory too
            out = global_attention(query.contiguous(), key.contiguous(), value.contiguous(), mask,
                                   dropout)
        out = self.proj(out.transpose(2, 3).flatten(1, 2))
        return F.dropout(out, self.dropout, self.training) * mask[:, None].to(out.dtype)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Self-attention.

        Args:
            x (Tensor): (B, C, T).
            mask (Tensor): (B, T) bool, True where valid.

        Returns:
            Tensor: (B, C, T), zero outside the mask.
        """
        return self.attend(x, x, x, mask)
