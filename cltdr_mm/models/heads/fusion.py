"""Fusion of neighbouring pyramid levels (CLTDR-GMG, AAAI 2025, eq. 5-9, fig. 4).

One module serves the paper's three: DCM takes the higher level, DRM the lower one, both with
attention; CLFF adds both neighbours as they are. Parameters are shared by all levels.
"""
from collections.abc import Sequence

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from ...structures import Layout
from ..layers import Conv, Downsample2x, Upsample2x

NEIGHBOURS = ('higher', 'lower')


class CrossLevelFusion(BaseModule):
    """Adds what neighbouring levels know to a level's own features.

    Args:
        channels (int): Channels of the pyramid.
        sources (Sequence[str]): Which neighbours: 'higher' (coarser), 'lower' (finer), both or
            none. At the pyramid's ends a neighbour that is missing is left out.
        fusion (str): 'attention' weighs each neighbour's channels by
            ``sigmoid(FC(mean(ReLU(neighbour + Conv(own)))))`` before the sum, 'add' sums, and
            'concat' mixes own and neighbours' features by a 1x1 convolution (table 11).
            Defaults to 'attention'.
        depthwise (bool): Whether resampling, Conv and FC are depth-wise, as the paper's parameter
            counts have it, or full, as the published code's are. Defaults to True.
        own_kernel_size (int): Kernel of the Conv; the published code's is 1. Defaults to 3.
        init_cfg (dict, optional): See BaseModule.

    Raises:
        ValueError: On an unknown source or fusion.
    """

    def __init__(self,
                 channels: int,
                 sources: Sequence[str],
                 fusion: str = 'attention',
                 depthwise: bool = True,
                 own_kernel_size: int = 3,
                 init_cfg=None) -> None:
        super().__init__(init_cfg=init_cfg)
        unknown = set(sources) - set(NEIGHBOURS)
        if unknown:
            raise ValueError(f'CrossLevelFusion: sources must be among {NEIGHBOURS}, got '
                             f'{sorted(unknown)}')
        if fusion not in ('attention', 'add', 'concat'):
            raise ValueError(f"CrossLevelFusion: fusion must be 'attention', 'add' or 'concat', "
                             f'got {fusion!r}')
        self.sources = tuple(name for name in NEIGHBOURS if name in sources)
        self.fusion = fusion
        groups = channels if depthwise else 1
        kinds = dict(higher=Upsample2x, lower=Downsample2x)
        self.resample = nn.ModuleDict({name: kinds[name](channels, groups)
                                       for name in self.sources})
        if fusion == 'attention':
            self.own = nn.ModuleDict({name: Conv(channels, channels, own_kernel_size,
                                                 groups=groups) for name in self.sources})
            self.gate = nn.ModuleDict({name: Conv(channels, channels, 1, groups=groups)
                                       for name in self.sources})
        elif fusion == 'concat':
            self.mix = nn.ModuleDict({
                name: Conv(2 * channels, channels, 1) for name in self.sources})
        if not depthwise or fusion == 'concat':  # full layers start as PyTorch starts them
            for name in ('own', 'gate', 'mix'):
                for layer in getattr(self, name, {}).values():
                    layer.reset_parameters()

    def forward(self, x: Tensor, layout: Layout) -> Tensor:
        """Fuse every level with its neighbours.

        Args:
            x (Tensor): (R, C), all levels in one table, zero in gaps.
            layout (Layout): Of its rows.

        Returns:
            Tensor: (R, C), zero in gaps.
        """
        fused = x
        for name in self.sources:
            neighbour = self.resample[name](x, layout)  # (R, C), zero where there is none
            if self.fusion == 'attention':
                weight = layout.expand(self.weigh(name, neighbour, x, layout))
                neighbour = layout.zero_gaps(neighbour * weight)  # a weight may be no number
            if self.fusion == 'concat':
                fused = self.concatenate(name, fused, neighbour, layout)
            else:
                fused = fused + neighbour
        return fused

    def weigh(self, name: str, neighbour: Tensor, own: Tensor, layout: Layout) -> Tensor:
        """Attention weights of a neighbour's channels (eq. 5 and 7), (S, C)."""
        both = (neighbour + self.own[name](own, layout)).relu()
        return self.gate[name](layout.mean(both)).sigmoid()

    def concatenate(self, name: str, fused: Tensor, neighbour: Tensor, layout: Layout) -> Tensor:
        """Mix a neighbour into the levels that have it, (R, C)."""
        rows = layout.finer[0]
        if name == 'higher':
            rows = torch.cat([layout.coarser.even, layout.coarser.odd])
        both = torch.cat([fused.index_select(0, rows), neighbour.index_select(0, rows)], dim=1)
        mixed = self.mix[name](both)
        return fused.to(mixed.dtype).index_copy(0, rows, mixed)
