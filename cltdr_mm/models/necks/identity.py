"""IdentityNeck: one norm for every level of the pyramid."""
from typing import Optional

from mmaction.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn

from ..backbones.pyramid import check_variant
from ..layers import ChannelLayerNorm, MaskedGroupNorm, mask_steps


@MODELS.register_module()
class IdentityNeck(BaseModule):
    """Normalises every level with its own parameters.

    Source: ActionFormer, kept by TriDet and CLTDR-GMG. Parameters carry the names of the published
    code.

    Args:
        in_channels (int): Width D of the levels.
        num_levels (int): Number of levels L. Defaults to 6.
        norm (str, optional): 'layer' over the channels of a step, with learned factors and
            offsets; 'group' over time and a group of channels, without (TemporalMaxer's default);
            None for no norm. Defaults to 'layer'.
        num_groups (int): Number of groups of 'group'. Defaults to 4.
        variant (str): 'release' leaves the norm's bias at padded steps (and counts them in group
            statistics) as the published code does. Defaults to 'paper'.
        init_cfg (dict, optional): MMEngine's weight initialisation config. Defaults to None.

    Raises:
        ValueError: If ``norm`` or ``variant`` is unknown.
    """

    def __init__(self,
                 in_channels: int,
                 num_levels: int = 6,
                 norm: Optional[str] = 'layer',
                 num_groups: int = 4,
                 variant: str = 'paper',
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(init_cfg=init_cfg)
        if norm not in ('layer', 'group', None):
            raise ValueError(f"norm must be 'layer', 'group' or None, got {norm!r}")
        self.release = check_variant(variant)
        self.norm = norm

        def make() -> nn.Module:
            if norm == 'layer':
                return ChannelLayerNorm(in_channels)
            if norm == 'group':
                kind = nn.GroupNorm if self.release else MaskedGroupNorm
                return kind(num_groups, in_channels, affine=False)
            return nn.Identity()

        self.fpn_norms = nn.ModuleList(make() for _ in range(num_levels))

    def forward(self, feats: tuple[Tensor, ...],
                masks: tuple[Tensor, ...]) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        """Normalise.

        Args:
            feats (tuple[Tensor]): L features, (B, D, T_l) each.
            masks (tuple[Tensor]): Their masks, (B, T_l) bool each.

        Returns:
            tuple: Features and masks of the same shapes; padded steps are zero in the paper
            variant.

        Raises:
            ValueError: If the number of levels is not ``num_levels``.
        """
        if len(feats) != len(self.fpn_norms):
            raise ValueError(f'IdentityNeck was built for {len(self.fpn_norms)} levels, '
                             f'got {len(feats)}')
        outs = []
        for x, mask, norm in zip(feats, masks, self.fpn_norms):
            if isinstance(norm, MaskedGroupNorm):
                outs.append(norm(x, mask))
            elif self.release:
                outs.append(norm(x))
            else:
                outs.append(mask_steps(norm(x), mask))
        return tuple(outs), tuple(masks)
