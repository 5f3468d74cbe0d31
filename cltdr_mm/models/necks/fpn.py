"""FPN1D: a top-down feature pyramid over time."""
from typing import Optional

from mmaction.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn

from ..layers import ChannelLayerNorm, MaskedConv1d, mask_steps


@MODELS.register_module()
class FPN1D(BaseModule):
    """Adds every level, up-sampled, to the next finer one.

    Source: Feature Pyramid Networks (Lin et al., CVPR 2017) in ActionFormer's one-dimensional form:
    lateral 1x1 convolutions, nearest up-sampling, then a depth-wise convolution of kernel 3 and a
    norm on every level. Parameters carry the names of ActionFormer's code.

    Args:
        in_channels (int): Width of the levels.
        out_channels (int, optional): Width of the result; None keeps it. Defaults to None.
        num_levels (int): Number of levels L. Defaults to 6.
        with_norm (bool): Whether channel LayerNorms follow; without them the convolutions have a
            bias. Defaults to True.
        init_cfg (dict, optional): MMEngine's weight initialisation config. Defaults to None.
    """

    def __init__(self,
                 in_channels: int,
                 out_channels: Optional[int] = None,
                 num_levels: int = 6,
                 with_norm: bool = True,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(init_cfg=init_cfg)
        width = out_channels or in_channels
        self.lateral_convs = nn.ModuleList(
            MaskedConv1d(in_channels, width, 1, bias=not with_norm) for _ in range(num_levels))
        self.fpn_convs = nn.ModuleList(
            MaskedConv1d(width, width, 3, groups=width, bias=not with_norm)
            for _ in range(num_levels))
        self.fpn_norms = nn.ModuleList(
            ChannelLayerNorm(width) if with_norm else nn.Identity() for _ in range(num_levels))

    def forward(self, feats: tuple[Tensor, ...],
                masks: tuple[Tensor, ...]) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        """Fuse.

        Args:
            feats (tuple[Tensor]): L features, (B, C, T_l) each, finest first.
            masks (tuple[Tensor]): Their masks, (B, T_l) bool each.

        Returns:
            tuple: L features, (B, D, T_l) each, zero at padded steps; and the masks.

        Raises:
            ValueError: If the number of levels is not ``num_levels``.
        """
        if len(feats) != len(self.fpn_norms):
            raise ValueError(f'FPN1D was built for {len(self.fpn_norms)} levels, got {len(feats)}')
        levels = [conv(x, mask)[0] for conv, x, mask in zip(self.lateral_convs, feats, masks)]
        for index in range(len(levels) - 1, 0, -1):
            finer = levels[index - 1]
            coarse = levels[index].repeat_interleave(2, dim=-1)[..., :finer.shape[-1]]
            # An odd number of valid steps: the last coarse one reaches into the padding.
            levels[index - 1] = mask_steps(finer + coarse, masks[index - 1])
        outs = [
            mask_steps(norm(conv(x, mask)[0]), mask)
            for conv, norm, x, mask in zip(self.fpn_convs, self.fpn_norms, levels, masks)
        ]
        return tuple(outs), tuple(masks)
