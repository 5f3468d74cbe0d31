"""ConvPyramid: the plain convolutional baseline.

Source: the convolutional baseline of ActionFormer (Zhang et al., 2022), table 6, also row 1 of
LoGo's table 3: two convolutions and a shortcut a block.
"""
from collections.abc import Sequence
from typing import Optional, Union

import torch.nn.functional as F
from mmaction.registry import MODELS
from torch import Tensor, nn

from ...structures import Layout
from ..layers import NamedConv
from .pyramid import PyramidBackbone


class ConvBlock(nn.Module):
    """Two convolutions with a shortcut.

    Args:
        channels (int): Width D.
        ffn_dims (int): Channels between the convolutions.
        stride (int): Of the first convolution; the shortcut becomes a strided 1x1 convolution
            where it is not 1. Defaults to 1.
        kernel_size (int): Odd. Defaults to 3.
    """

    def __init__(self,
                 channels: int,
                 ffn_dims: int,
                 stride: int = 1,
                 kernel_size: int = 3) -> None:
        super().__init__()
        self.conv1 = NamedConv(channels, ffn_dims, kernel_size, stride)
        self.conv2 = NamedConv(ffn_dims, channels, kernel_size)
        self.shortcut = NamedConv(channels, channels, 1, stride) if stride > 1 else None

    def forward(self, x: Tensor, layout: Layout) -> tuple[Tensor, Layout]:
        """Convolve (R, D) to (R', D), zero in gaps."""
        hidden = self.conv1(x, layout)
        if self.shortcut is not None:
            x, layout = self.shortcut(x, layout), layout.half
        hidden = F.relu(layout.zero_gaps(hidden), inplace=True)
        out = self.conv2(hidden, layout)
        return F.relu(layout.zero_gaps(out + x), inplace=True), layout


@MODELS.register_module()
class ConvPyramid(PyramidBackbone):
    """Convolutional baseline.

    Args:
        in_channels (int): Channels C of the input features.
        embed_dims (int): Width D of all levels. Defaults to 512.
        ffn_dims (int, optional): Channels between the two convolutions of a block; None is 2 D.
            Defaults to None.
        kernel_size (int | Sequence[int]): Odd kernel, for all levels or for each. Defaults to 3.
        **kwargs: Of :class:`PyramidBackbone`.

    Raises:
        ValueError: If an argument is not of that form.
    """

    def __init__(self,
                 in_channels: int,
                 embed_dims: int = 512,
                 ffn_dims: Optional[int] = None,
                 kernel_size: Union[int, Sequence[int]] = 3,
                 **kwargs) -> None:
        super().__init__(in_channels, embed_dims, **kwargs)
        kernels = self.per_level(kernel_size, 'kernel_size')
        self.add_blocks(lambda level, stride: ConvBlock(
            embed_dims, ffn_dims or 2 * embed_dims, stride, kernels[level]))
