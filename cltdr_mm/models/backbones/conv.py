"""ConvPyramid: the plain convolutional baseline.

Source: the convolutional baseline of ActionFormer (Zhang et al., 2022), table 6, also row 1 of
LoGo's table 3: two convolutions and a shortcut a block.
"""
from collections.abc import Sequence
from typing import Optional, Union

import torch.nn.functional as F
from mmaction.registry import MODELS
from torch import Tensor, nn

from ..layers import MaskedConv1d
from .pyramid import PyramidBackbone


class ConvBlock(nn.Module):
    """Two masked convolutions with a shortcut.

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
        self.conv1 = MaskedConv1d(channels, ffn_dims, kernel_size, stride)
        self.conv2 = MaskedConv1d(ffn_dims, channels, kernel_size)
        self.shortcut = MaskedConv1d(channels, channels, 1, stride) if stride > 1 else None

    def forward(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Convolve.

        Args:
            x (Tensor): (B, D, T), zero at padded steps.
            mask (Tensor): (B, T) bool, True where valid.

        Returns:
            tuple[Tensor, Tensor]: (B, D, ceil(T / stride)), zero at padded steps, and its mask.
        """
        out, out_mask = self.conv1(x, mask)
        out, _ = self.conv2(F.relu(out), out_mask)
        if self.shortcut is not None:
            x, _ = self.shortcut(x, mask)
        return F.relu(out + x), out_mask


@MODELS.register_module()
class ConvPyramid(PyramidBackbone):
    """Convolutional baseline; there is no release variant, as no published model uses it.

    Args:
        in_channels (int): Channels C of the input features.
        embed_dims (int): Width D of all levels. Defaults to 512.
        arch (Sequence[int]): See :class:`PyramidBackbone`. Defaults to (2, 2, 5).
        ffn_dims (int, optional): Channels between the two convolutions of a block; None is 2 D.
            Defaults to None.
        kernel_size (int | Sequence[int]): Odd kernel, for all levels or for each. Defaults to 3.
        **kwargs: ``embed_kernel_size``, ``embed_norm``, ``use_abs_pe``, ``max_len`` and
            ``init_cfg`` of :class:`PyramidBackbone`.

    Raises:
        ValueError: If an argument is not of that form.
    """

    def __init__(self,
                 in_channels: int,
                 embed_dims: int = 512,
                 arch: Sequence[int] = (2, 2, 5),
                 ffn_dims: Optional[int] = None,
                 kernel_size: Union[int, Sequence[int]] = 3,
                 **kwargs) -> None:
        super().__init__(in_channels, embed_dims, arch, **kwargs)
        if self.release:
            raise ValueError('no published model uses ConvPyramid: it has no release variant')
        kernels = self.per_level(kernel_size, 'kernel_size')
        self.add_blocks(lambda level, stride: ConvBlock(
            embed_dims, ffn_dims or 2 * embed_dims, stride, kernels[level]))
