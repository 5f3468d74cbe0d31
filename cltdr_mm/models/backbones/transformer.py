"""ActionFormer's encoder: a pyramid of transformer blocks with local self-attention.

Source: ActionFormer (Zhang et al., ECCV 2022), sec. 3.2 and its supplement. Queries, keys and
values come from depth-wise convolutions of kernel 3 (strided in branch blocks) with LayerNorm.
Parameters carry the names of the published code.
"""
from collections.abc import Sequence
from typing import Optional, Union

from mmaction.registry import MODELS
from torch import Tensor, nn

from ...structures import Layout
from ..layers import ChannelLayerNorm, FeedForward, LocalSelfAttention, NamedConv, max_pool
from .block import residual
from .pyramid import PyramidBackbone


class ConvSelfAttention(LocalSelfAttention):
    """Self-attention whose queries, keys and values pass a depth-wise convolution first.

    Args:
        channels (int): Width D.
        num_heads (int): Divides D. Defaults to 4.
        window (int): See :class:`LocalSelfAttention`, on the output grid. Defaults to -1.
        stride (int): Of the convolutions. Defaults to 1.
        dropout (float): See :class:`LocalSelfAttention`. Defaults to 0.0.
        attn_dropout (float, optional): See :class:`LocalSelfAttention`. Defaults to None.
    """

    def __init__(self,
                 channels: int,
                 num_heads: int = 4,
                 window: int = -1,
                 stride: int = 1,
                 dropout: float = 0.0,
                 attn_dropout: Optional[float] = None) -> None:
        super().__init__(channels, num_heads, window, dropout, attn_dropout)
        self.stride = stride
        for name in ('query', 'key', 'value'):
            conv = NamedConv(channels, channels, 3, stride, groups=channels, bias=False)
            self.add_module(f'{name}_conv', conv)
            self.add_module(f'{name}_norm', ChannelLayerNorm(channels))

    def forward(self, x: Tensor, layout: Layout) -> Tensor:
        """Attend.

        Args:
            x (Tensor): (R, D), zero in gaps.
            layout (Layout): Of its rows.

        Returns:
            Tensor: (R', D), zero at padding, on ``layout.half`` at stride 2.
        """
        half = layout.half if self.stride == 2 else layout
        query = self.query_norm(half.zero_padding(self.query_conv(x, layout)), half)
        key = self.key_norm(half.zero_padding(self.key_conv(x, layout)), half)
        value = self.value_norm(half.zero_padding(self.value_conv(x, layout)), half)
        return self.attend(query, key, value, half)


class TransformerBlock(nn.Module):
    """Pre-norm transformer block; a strided one shortcuts its attention by max-pooling.

    Args:
        channels (int): Width D.
        ffn_dims (int): Hidden width of the feed-forward network.
        stride (int): 2 halves the grid. Defaults to 1.
        num_heads (int): Divides D. Defaults to 4.
        window (int): Attention window in steps, 1 or less for all. Defaults to -1.
        dropout (float): In attention and feed-forward network. Defaults to 0.0.
        attn_dropout (float, optional): Of attention weights. Defaults to None: as ``dropout``.
        drop_path (float): Probability of dropping a residual branch. Defaults to 0.0.
        scale_undropped (bool): See :func:`residual`. Defaults to True.
    """

    def __init__(self,
                 channels: int,
                 ffn_dims: int,
                 stride: int = 1,
                 num_heads: int = 4,
                 window: int = -1,
                 dropout: float = 0.0,
                 attn_dropout: Optional[float] = None,
                 drop_path: float = 0.0,
                 scale_undropped: bool = True) -> None:
        super().__init__()
        self.stride = stride
        self.ln1 = ChannelLayerNorm(channels)
        self.ln2 = ChannelLayerNorm(channels)
        self.attn = ConvSelfAttention(channels, num_heads, window, stride, dropout, attn_dropout)
        self.mlp = FeedForward(channels, ffn_dims, dropout)
        self.drop_path_attn = residual(channels, drop_path, scale_undropped)
        self.drop_path_mlp = residual(channels, drop_path, scale_undropped)

    def forward(self, x: Tensor, layout: Layout) -> tuple[Tensor, Layout]:
        """Run the block.

        Args:
            x (Tensor): (R, D), zero in gaps.
            layout (Layout): Of its rows.

        Returns:
            tuple[Tensor, Layout]: (R', D), zero in gaps, and its layout.
        """
        branch = self.attn(self.ln1(x, layout), layout)  # (R', D)
        if self.stride == 2:
            x, layout = max_pool(x, layout)
        x = self.drop_path_attn(layout.zero_padding(x), branch, layout)
        hidden = layout.zero_padding(self.mlp(self.ln2(x, layout)))
        return layout.zero_gaps(self.drop_path_mlp(x, hidden, layout)), layout


@MODELS.register_module()
class ActionFormer(PyramidBackbone):
    """ActionFormer's encoder.

    Args:
        in_channels (int): Channels C of the input features.
        embed_dims (int): Width D of all levels. Defaults to 512.
        ffn_dims (int, optional): Hidden width of the feed-forward networks; None is 4 D.
            Defaults to None.
        num_heads (int): Divides D. Defaults to 4.
        window_size (int | Sequence[int]): Attention window in steps of the level, for all levels
            or for each; 1 or less attends to all steps. Defaults to 19.
        dropout (float): In attention and feed-forward networks. Defaults to 0.0.
        attn_dropout (float, optional): Of attention weights. Defaults to None: as ``dropout``.
        drop_path (float): Probability of dropping a residual branch. Defaults to 0.1.
        scale_undropped (bool): Whether branches that are never dropped have learned factors; the
            published code has none there. Defaults to True.
        **kwargs: Of :class:`PyramidBackbone`.

    Raises:
        ValueError: If an argument is not of that form.
    """

    def __init__(self,
                 in_channels: int,
                 embed_dims: int = 512,
                 ffn_dims: Optional[int] = None,
                 num_heads: int = 4,
                 window_size: Union[int, Sequence[int]] = 19,
                 dropout: float = 0.0,
                 attn_dropout: Optional[float] = None,
                 drop_path: float = 0.1,
                 scale_undropped: bool = True,
                 **kwargs) -> None:
        super().__init__(in_channels, embed_dims, **kwargs)
        windows = self.per_level(window_size, 'window_size')
        self.add_blocks(lambda level, stride: TransformerBlock(
            embed_dims,
            ffn_dims or 4 * embed_dims,
            stride,
            num_heads=num_heads,
            window=windows[level],
            dropout=dropout,
            attn_dropout=attn_dropout,
            drop_path=drop_path,
            scale_undropped=scale_undropped))
