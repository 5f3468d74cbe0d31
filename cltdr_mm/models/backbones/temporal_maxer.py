"""TemporalMaxer: a pyramid of max-pooling and nothing else.

Source: TemporalMaxer (Tang et al., 2023), sec. 3.2.
"""
from collections.abc import Sequence

import torch.nn.functional as F
from mmaction.registry import MODELS
from torch import Tensor, nn

from ..layers import downsample_mask, mask_steps, masked_max_pool1d
from .pyramid import PyramidBackbone, check_variant


class MaxPoolBlock(nn.Module):
    """Max-pooling of kernel 3, without parameters.

    Args:
        stride (int): Factor between input and output grid. Defaults to 2.
        variant (str): In 'release' padded steps take part. Defaults to 'paper'.
    """

    def __init__(self, stride: int = 2, variant: str = 'paper') -> None:
        super().__init__()
        self.release = check_variant(variant)
        self.stride = stride

    def forward(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Pool.

        Args:
            x (Tensor): (B, D, T).
            mask (Tensor): (B, T) bool, True where valid.

        Returns:
            tuple[Tensor, Tensor]: (B, D, ceil(T / stride)), zero at padded steps, and its mask.
        """
        out_mask = downsample_mask(mask, self.stride)
        if self.release:
            return mask_steps(F.max_pool1d(x, 3, self.stride, 1), out_mask), out_mask
        return masked_max_pool1d(x, mask, 3, self.stride, 1), out_mask


@MODELS.register_module()
class TemporalMaxer(PyramidBackbone):
    """TemporalMaxer's encoder.

    Variant 'release' pools over padding too, where the published embedding leaves the bias of its
    norm: the last step of a video of odd length depends on it.

    Args:
        in_channels (int): Channels C of the input features.
        embed_dims (int): Width D of all levels. Defaults to 512.
        arch (Sequence[int]): See :class:`PyramidBackbone`. Defaults to (2, 0, 5).
        **kwargs: ``embed_kernel_size``, ``embed_norm``, ``use_abs_pe``, ``max_len``, ``variant``
            and ``init_cfg`` of :class:`PyramidBackbone`.
    """

    def __init__(self,
                 in_channels: int,
                 embed_dims: int = 512,
                 arch: Sequence[int] = (2, 0, 5),
                 **kwargs) -> None:
        super().__init__(in_channels, embed_dims, arch, **kwargs)
        variant = 'release' if self.release else 'paper'
        self.add_blocks(lambda level, stride: MaxPoolBlock(stride, variant))
