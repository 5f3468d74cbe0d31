"""IdentityNeck: one norm for every level of the pyramid."""
from typing import Optional

from mmaction.registry import MODELS
from torch import nn

from ...structures import PackedRows
from ..layers import ChannelLayerNorm, GroupNorm
from ..parts import PyramidPart, check_levels, refuse_unknown


@MODELS.register_module()
class IdentityNeck(PyramidPart):
    """Normalises every level with its own parameters.

    Source: ActionFormer, kept by TriDet and CLTDR-GMG. Parameters carry the names of the published
    code.

    Args:
        in_channels (int): Width D of the levels. In a localizer, the backbone's.
        num_levels (int): Number of levels L. In a localizer, the backbone's.
        norm (str, optional): 'layer' over the channels of a step, with learned factors and
            offsets; 'group' over time and a group of channels, without (TemporalMaxer's default);
            None for no norm. Defaults to 'layer'.
        num_groups (int): Number of groups of 'group'. Defaults to 4.
        init_cfg (dict, optional): MMEngine's weight initialisation config. Defaults to None.

    Raises:
        ValueError: If ``norm`` is unknown.
    """

    def __init__(self,
                 in_channels: int,
                 num_levels: int,
                 norm: Optional[str] = 'layer',
                 num_groups: int = 4,
                 init_cfg: Optional[dict] = None,
                 **unknown) -> None:
        refuse_unknown(self, unknown)
        super().__init__(init_cfg=init_cfg)
        if norm not in ('layer', 'group', None):
            raise ValueError(f"norm must be 'layer', 'group' or None, got {norm!r}")
        self.out_channels = in_channels
        make = dict(layer=lambda: ChannelLayerNorm(in_channels),
                    group=lambda: GroupNorm(num_groups, in_channels, affine=False)).get(
                        norm, nn.Identity)
        self.fpn_norms = nn.ModuleList(make() for _ in range(num_levels))

    def forward_rows(self, packed: list[PackedRows]) -> list[PackedRows]:
        """Normalise.

        Args:
            packed (list[PackedRows]): L tables (R_l, D).

        Returns:
            list[PackedRows]: L tables (R_l, D).

        Raises:
            ValueError: If the number of levels is not ``num_levels``.
        """
        check_levels(self, packed, len(self.fpn_norms))
        return [
            level if isinstance(norm, nn.Identity) else
            PackedRows(norm(level.rows, level.layout), level.layout)
            for level, norm in zip(packed, self.fpn_norms)]
