"""FPN1D: a top-down feature pyramid over time."""
from typing import Optional

from mmaction.registry import MODELS
from torch import nn

from ...structures import PackedRows
from ..layers import ChannelLayerNorm, NamedConv
from ..parts import PyramidPart, check_levels, refuse_unknown


@MODELS.register_module()
class FPN1D(PyramidPart):
    """Adds every level, up-sampled, to the next finer one.

    Source: Feature Pyramid Networks (Lin et al., CVPR 2017) in ActionFormer's one-dimensional form:
    lateral 1x1 convolutions, nearest up-sampling, then a depth-wise convolution of kernel 3 and a
    norm on every level. Parameters carry the names of ActionFormer's code.

    Args:
        in_channels (int): Width of the levels. In a localizer, the backbone's.
        num_levels (int): Number of levels L. In a localizer, the backbone's.
        out_channels (int, optional): Width of the result; None keeps it. Defaults to None.
        with_norm (bool): Whether channel LayerNorms follow; without them the convolutions have a
            bias. Defaults to True.
        init_cfg (dict, optional): MMEngine's weight initialisation config. Defaults to None.
    """

    def __init__(self,
                 in_channels: int,
                 num_levels: int,
                 out_channels: Optional[int] = None,
                 with_norm: bool = True,
                 init_cfg: Optional[dict] = None,
                 **unknown) -> None:
        refuse_unknown(self, unknown)
        super().__init__(init_cfg=init_cfg)
        self.out_channels = width = out_channels or in_channels
        self.lateral_convs = nn.ModuleList(
            NamedConv(in_channels, width, 1, bias=not with_norm) for _ in range(num_levels))
        self.fpn_convs = nn.ModuleList(
            NamedConv(width, width, 3, groups=width, bias=not with_norm)
            for _ in range(num_levels))
        self.fpn_norms = nn.ModuleList(
            ChannelLayerNorm(width) if with_norm else nn.Identity() for _ in range(num_levels))

    def forward_rows(self, packed: list[PackedRows]) -> list[PackedRows]:
        """Fuse.

        Args:
            packed (list[PackedRows]): L tables (R_l, C), finest first.

        Returns:
            list[PackedRows]: L tables (R_l, D).

        Raises:
            ValueError: If the number of levels is not ``num_levels``.
        """
        check_levels(self, packed, len(self.fpn_norms))
        layouts = [level.layout for level in packed]
        tables = [layout.zero_gaps(layout.zero_padding(conv(level.rows, layout)))
                  for conv, level, layout in zip(self.lateral_convs, packed, layouts)]
        for index in range(len(tables) - 1, 0, -1):
            finer = layouts[index - 1]
            coarse = tables[index].index_select(0, finer.covering)  # (rows seen, D)
            tables[index - 1] = tables[index - 1] + finer.place(coarse)
        outs = []
        for conv, norm, x, layout in zip(self.fpn_convs, self.fpn_norms, tables, layouts):
            x = conv(x, layout)
            x = layout.zero_gaps(x) if isinstance(norm, nn.Identity) else norm(x, layout)
            outs.append(PackedRows(layout.zero_padding(x), layout))
        return outs
