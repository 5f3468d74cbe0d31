"""The residual block that GMG, SGP and LoGo share around their own way of mixing time.

Source: TriDet (Shi et al., 2023), fig. 3: a transformer block whose self-attention is replaced and
whose second norm is a GroupNorm. CLTDR-GMG and LoGo keep it.
"""
from typing import Optional

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..layers import (
    ChannelLayerNorm,
    MaskedGroupNorm,
    ScaledDropPath,
    downsample_mask,
    mask_steps,
    masked_max_pool1d,
)
from .pyramid import check_variant


def residual_scale(channels: int, drop_path: float, release: bool) -> nn.Module:
    """The factor on a residual branch.

    Args:
        channels (int): Number of channels.
        drop_path (float): Probability of dropping the branch.
        release (bool): The published code has no factor at all where nothing is ever dropped.

    Returns:
        nn.Module: Maps the branch to what is added to the shortcut.
    """
    if release and drop_path == 0:
        return nn.Identity()
    return ScaledDropPath(channels, drop_path)


class MixerBlock(nn.Module):
    """Down-sampling, LayerNorm, a mixer, GroupNorm and a feed-forward network, with shortcuts.

    A subclass defines :meth:`mix`.

    Args:
        channels (int): Width D; a multiple of 16, the number of groups of the GroupNorm.
        ffn_dims (int): Hidden width of the feed-forward network.
        stride (int): 2 halves the grid by max-pooling. Defaults to 1.
        pool_last (bool): Whether pooling follows the block instead of preceding it.
            Defaults to False.
        drop_path (float): Probability of dropping a residual branch. Defaults to 0.0.
        variant (str): 'paper' or 'release', see :class:`PyramidBackbone`. Defaults to 'paper'.
    """

    def __init__(self,
                 channels: int,
                 ffn_dims: int,
                 stride: int = 1,
                 pool_last: bool = False,
                 drop_path: float = 0.0,
                 variant: str = 'paper') -> None:
        super().__init__()
        self.release = check_variant(variant)
        self.stride = stride
        self.pool_last = pool_last
        self.ln = ChannelLayerNorm(channels)
        norm = nn.GroupNorm if self.release else MaskedGroupNorm
        self.gn = norm(16, channels)
        self.mlp = nn.Sequential(
            nn.Conv1d(channels, ffn_dims, 1), nn.GELU(), nn.Conv1d(ffn_dims, channels, 1))
        nn.init.zeros_(self.mlp[0].bias)
        nn.init.zeros_(self.mlp[2].bias)
        self.drop_path_out = residual_scale(channels, drop_path, self.release)
        self.drop_path_mlp = residual_scale(channels, drop_path, self.release)

    def mix(self, y: Tensor, mask: Tensor, lengths: Optional[list]) -> Tensor:
        """Mix time steps.

        Args:
            y (Tensor): (B, D, T), normalised.
            mask (Tensor): (B, T) bool, True where valid.
            lengths (list[int], optional): Number of valid steps of each sample.

        Returns:
            Tensor: (B, D, T); what stands at padded steps does not matter.
        """
        raise NotImplementedError

    def pool(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Halve the grid if this is a branch block."""
        if self.stride == 1:
            return x, mask
        if self.release:  # padded steps take part
            return F.max_pool1d(x, 3, self.stride, 1), downsample_mask(mask, self.stride)
        return masked_max_pool1d(x, mask, 3, self.stride, 1), downsample_mask(mask, self.stride)

    def forward(self,
                x: Tensor,
                mask: Tensor,
                lengths: Optional[list] = None) -> tuple[Tensor, Tensor]:
        """Run the block.

        Args:
            x (Tensor): (B, D, T).
            mask (Tensor): (B, T) bool, True where valid.
            lengths (list[int], optional): Number of valid steps of each sample, on this block's
                output grid. Defaults to None.

        Returns:
            tuple[Tensor, Tensor]: (B, D, T / stride), zero at padded steps in the paper variant,
            and its mask.
        """
        if not self.pool_last:
            x, mask = self.pool(x, mask)
        if self.release:
            x = mask_steps(x, mask) + self.drop_path_out(self.mix(self.ln(x), mask, lengths))
            x = x + self.drop_path_mlp(self.mlp(self.gn(x)))
        else:
            y = mask_steps(self.ln(x), mask)
            x = x + self.drop_path_out(self.mix(y, mask, lengths))
            # The norm ignores and zeroes what the mixer left in the padding.
            x = x + self.drop_path_mlp(self.mlp(self.gn(x, mask)))
            x = mask_steps(x, mask)
        if self.pool_last:
            x, mask = self.pool(x, mask)
        return x, mask


def init_depthwise(convs: list, std: Optional[float]) -> None:
    """Draw depth-wise weights from N(0, std) as the published code does; biases stay zero.

    Args:
        convs (list[nn.Module]): Modules with a ``weight``.
        std (float, optional): Standard deviation; None leaves PyTorch's default.
    """
    if std is not None:
        for conv in convs:
            with torch.no_grad():
                conv.weight.normal_(0, std)
