"""ActionFormer's encoder: a pyramid of transformer blocks with local self-attention.

Source: ActionFormer (Zhang et al., ECCV 2022), sec. 3.2 and its supplement. Queries, keys and
values come from depth-wise convolutions of kernel 3 (strided in branch blocks) with LayerNorm.
Parameters carry the names of the published code.
"""
from collections.abc import Sequence
from typing import Union

import torch.nn.functional as F
from mmaction.registry import MODELS
from torch import Tensor, nn

from ..layers import (
    ChannelLayerNorm,
    LocalSelfAttention,
    MaskedConv1d,
    mask_steps,
    masked_max_pool1d,
)
from .block import residual_scale
from .pyramid import PyramidBackbone, check_variant


class ConvSelfAttention(LocalSelfAttention):
    """Self-attention whose queries, keys and values pass a depth-wise convolution first.

    Args:
        channels (int): Width D.
        num_heads (int): Divides D. Defaults to 4.
        window (int): See :class:`LocalSelfAttention`, on the output grid. Defaults to -1.
        stride (int): Of the convolutions. Defaults to 1.
        dropout (float): See :class:`LocalSelfAttention`. Defaults to 0.0.
    """

    def __init__(self,
                 channels: int,
                 num_heads: int = 4,
                 window: int = -1,
                 stride: int = 1,
                 dropout: float = 0.0) -> None:
        super().__init__(channels, num_heads, window, dropout)
        for name in ('query', 'key', 'value'):
            conv = MaskedConv1d(channels, channels, 3, stride, groups=channels, bias=False)
            self.add_module(f'{name}_conv', conv)
            self.add_module(f'{name}_norm', ChannelLayerNorm(channels))

    def forward(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Attend.

        Args:
            x (Tensor): (B, D, T).
            mask (Tensor): (B, T) bool, True where valid.

        Returns:
            tuple[Tensor, Tensor]: (B, D, ceil(T / stride)), zero at padded steps, and its mask.
        """
        query, out_mask = self.query_conv(x, mask)
        key, _ = self.key_conv(x, mask)
        value, _ = self.value_conv(x, mask)
        out = self.attend(
            self.query_norm(query), self.key_norm(key), self.value_norm(value), out_mask)
        return out, out_mask


class TransformerBlock(nn.Module):
    """Pre-norm transformer block; a strided one shortcuts its attention by max-pooling.

    Args:
        channels (int): Width D.
        ffn_dims (int): Hidden width of the feed-forward network.
        stride (int): 2 halves the grid. Defaults to 1.
        num_heads (int): Divides D. Defaults to 4.
        window (int): Attention window in steps, 1 or less for all. Defaults to -1.
        dropout (float): In attention and feed-forward network. Defaults to 0.0.
        drop_path (float): Probability of dropping a residual branch. Defaults to 0.0.
        variant (str): 'paper' or 'release', see :class:`ActionFormer`. Defaults to 'paper'.
    """

    def __init__(self,
                 channels: int,
                 ffn_dims: int,
                 stride: int = 1,
                 num_heads: int = 4,
                 window: int = -1,
                 dropout: float = 0.0,
                 drop_path: float = 0.0,
                 variant: str = 'paper') -> None:
        super().__init__()
        self.release = check_variant(variant)
        self.stride = stride
        self.ln1 = ChannelLayerNorm(channels)
        self.ln2 = ChannelLayerNorm(channels)
        self.attn = ConvSelfAttention(channels, num_heads, window, stride, dropout)
        self.mlp = nn.Sequential(
            nn.Conv1d(channels, ffn_dims, 1), nn.GELU(), nn.Dropout(dropout),
            nn.Conv1d(ffn_dims, channels, 1), nn.Dropout(dropout))
        nn.init.zeros_(self.mlp[0].bias)
        nn.init.zeros_(self.mlp[3].bias)
        self.drop_path_attn = residual_scale(channels, drop_path, self.release)
        self.drop_path_mlp = residual_scale(channels, drop_path, self.release)

    def forward(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Run the block.

        Args:
            x (Tensor): (B, D, T).
            mask (Tensor): (B, T) bool, True where valid.

        Returns:
            tuple[Tensor, Tensor]: (B, D, ceil(T / stride)), zero at padded steps, and its mask.
        """
        y = self.ln1(x)
        if not self.release:  # the norm's bias must not pass for features at the border
            y = mask_steps(y, mask)
        branch, out_mask = self.attn(y, mask)
        if self.stride > 1:
            pool = masked_max_pool1d(x, mask, 3, self.stride, 1) if not self.release else (
                F.max_pool1d(x, 3, self.stride, 1))
        else:
            pool = x
        x = mask_steps(pool, out_mask) + self.drop_path_attn(branch)
        x = x + self.drop_path_mlp(mask_steps(self.mlp(self.ln2(x)), out_mask))
        return x, out_mask


@MODELS.register_module()
class ActionFormer(PyramidBackbone):
    """ActionFormer's encoder.

    Variant 'release' differs as the published code does: padded steps hold the norms' biases when
    convolutions and max-pooling look past a video's end.

    Args:
        in_channels (int): Channels C of the input features.
        embed_dims (int): Width D of all levels. Defaults to 512.
        arch (Sequence[int]): See :class:`PyramidBackbone`. Defaults to (2, 2, 5).
        ffn_dims (int, optional): Hidden width of the feed-forward networks; None is 4 D.
            Defaults to None.
        num_heads (int): Divides D. Defaults to 4.
        window_size (int | Sequence[int]): Attention window in steps of the level, for all levels
            or for each; 1 or less attends to all steps. Defaults to 19.
        dropout (float): In attention and feed-forward networks. Defaults to 0.0.
        drop_path (float): Probability of dropping a residual branch. Defaults to 0.1.
        **kwargs: ``embed_kernel_size``, ``embed_norm``, ``use_abs_pe``, ``max_len``, ``variant``
            and ``init_cfg`` of :class:`PyramidBackbone`.

    Raises:
        ValueError: If an argument is not of that form.
    """

    def __init__(self,
                 in_channels: int,
                 embed_dims: int = 512,
                 arch: Sequence[int] = (2, 2, 5),
                 ffn_dims: Union[int, None] = None,
                 num_heads: int = 4,
                 window_size: Union[int, Sequence[int]] = 19,
                 dropout: float = 0.0,
                 drop_path: float = 0.1,
                 **kwargs) -> None:
        super().__init__(in_channels, embed_dims, arch, **kwargs)
        windows = self.per_level(window_size, 'window_size')
        self.add_blocks(lambda level, stride: TransformerBlock(
            embed_dims,
            ffn_dims or 4 * embed_dims,
            stride,
            num_heads=num_heads,
            window=windows[level],
            dropout=dropout,
            drop_path=drop_path,
            variant='release' if self.release else 'paper'))
