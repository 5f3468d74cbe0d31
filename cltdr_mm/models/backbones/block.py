"""The residual block that GMG, SGP and LoGo share around their own way of mixing time.

Source: TriDet (Shi et al., 2023), fig. 3: a transformer block whose self-attention is replaced and
whose second norm is a GroupNorm. CLTDR-GMG and LoGo keep it.
"""
from typing import Optional

import torch
from torch import Tensor, nn

from ...structures import Layout
from ..layers import ChannelLayerNorm, FeedForward, GroupNorm, ScaledDropPath, max_pool


def residual(channels: int, drop_path: float, scale_undropped: bool) -> ScaledDropPath:
    """What adds a branch to its shortcut.

    Args:
        channels (int): Number of channels.
        drop_path (float): Probability of dropping the branch.
        scale_undropped (bool): Whether a branch that is never dropped has learned factors;
            published code has none there.

    Returns:
        ScaledDropPath: The layer.
    """
    scaled = drop_path > 0 or scale_undropped
    return ScaledDropPath(channels, drop_path, init_scale=1e-4 if scaled else None)


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
        scale_undropped (bool): See :func:`residual`. Defaults to True.
    """

    def __init__(self,
                 channels: int,
                 ffn_dims: int,
                 stride: int = 1,
                 pool_last: bool = False,
                 drop_path: float = 0.0,
                 scale_undropped: bool = True) -> None:
        super().__init__()
        self.stride = stride
        self.pool_last = pool_last
        self.ln = ChannelLayerNorm(channels)
        self.gn = GroupNorm(16, channels)
        self.mlp = FeedForward(channels, ffn_dims)
        self.drop_path_out = residual(channels, drop_path, scale_undropped)
        self.drop_path_mlp = residual(channels, drop_path, scale_undropped)

    def mix(self, y: Tensor, layout: Layout) -> Tensor:
        """Mix time steps.

        Args:
            y (Tensor): (R, D), normalised, zero in gaps.
            layout (Layout): Of its rows.

        Returns:
            Tensor: (R, D); what stands in gaps does not matter.
        """
        raise NotImplementedError

    def forward(self, x: Tensor, layout: Layout) -> tuple[Tensor, Layout]:
        """Run the block.

        Args:
            x (Tensor): (R, D), zero in gaps.
            layout (Layout): Of its rows.

        Returns:
            tuple[Tensor, Layout]: (R', D), zero in gaps, and its layout.
        """
        if self.stride == 2 and not self.pool_last:
            x, layout = max_pool(x, layout)
        y = self.ln(x, layout)
        x = self.drop_path_out(layout.zero_padding(x), self.mix(y, layout), layout)
        x = self.drop_path_mlp(x, self.mlp(self.gn(x, layout)), layout)
        x = layout.zero_gaps(x)
        if self.stride == 2 and self.pool_last:
            x, layout = max_pool(x, layout)
        return x, layout


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
