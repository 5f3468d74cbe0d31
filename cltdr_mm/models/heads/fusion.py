"""Fusion of neighbouring pyramid levels (CLTDR-GMG, AAAI 2025, eq. 5-9, fig. 4).

One module serves the paper's three: DCM takes the higher level, DRM the lower one, both with
attention; CLFF adds both neighbours as they are. Parameters are shared by all levels.
"""
from collections.abc import Sequence

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from ..layers import DepthwiseScale, depthwise_conv, mask_steps, masked_mean

NEIGHBOURS = ('higher', 'lower')


class Upsample2x(nn.ConvTranspose1d):
    """Transposed convolution of kernel 3, stride 2 and padding 1 to twice its input's length.

    Even outputs lie on one input and odd ones between two, so that two ordinary convolutions do
    the work without multiplying the zeros that a transposed convolution inserts. The state dict
    is that of ``nn.ConvTranspose1d``.

    Args:
        channels (int): Channels of input and output.
        groups (int): 1, or ``channels`` to make it depth-wise. Defaults to 1.

    Raises:
        ValueError: On other groups.
    """

    def __init__(self, channels: int, groups: int = 1) -> None:
        if groups not in (1, channels):
            raise ValueError(f'Upsample2x: groups must be 1 or {channels}, got {groups}')
        super().__init__(channels, channels, 3, stride=2, padding=1, output_padding=1,
                         groups=groups)

    def forward(self, x: Tensor) -> Tensor:
        """Upsample (B, C, T) to (B, C, 2 * T)."""
        after = nn.functional.pad(x, (0, 1))[..., 1:]  # x one step later
        if self.groups == self.in_channels:
            first, middle, last = self.weight.unbind(-1)  # (C, 1)
            bias = self.bias[:, None]
            even = middle * x + bias
            odd = first * after + last * x + bias
        else:
            first, middle, last = self.weight.transpose(0, 1).unbind(-1)  # (out, in)
            even = nn.functional.conv1d(x, middle[..., None], self.bias)
            odd = nn.functional.conv1d(torch.cat([after, x], dim=1),
                                       torch.cat([first, last], dim=1)[..., None], self.bias)
        return torch.stack([even, odd], dim=-1).flatten(-2)


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
        variant (str): 'paper': depth-wise layers of kernel 3, masked. 'release': full ones, the
            own features seen through a 1x1 convolution, padding not masked.
            Defaults to 'paper'.
        init_cfg (dict, optional): See BaseModule.

    Raises:
        ValueError: On an unknown source, fusion or variant.
    """

    def __init__(self,
                 channels: int,
                 sources: Sequence[str],
                 fusion: str = 'attention',
                 variant: str = 'paper',
                 init_cfg=None) -> None:
        super().__init__(init_cfg=init_cfg)
        unknown = set(sources) - set(NEIGHBOURS)
        if unknown:
            raise ValueError(f'CrossLevelFusion: sources must be among {NEIGHBOURS}, got '
                             f'{sorted(unknown)}')
        if fusion not in ('attention', 'add', 'concat'):
            raise ValueError(f"CrossLevelFusion: fusion must be 'attention', 'add' or 'concat', "
                             f'got {fusion!r}')
        if variant not in ('paper', 'release'):
            raise ValueError(f"CrossLevelFusion: variant must be 'paper' or 'release', got "
                             f'{variant!r}')
        self.sources = tuple(name for name in NEIGHBOURS if name in sources)
        self.fusion = fusion
        self.release = variant == 'release'
        groups = 1 if self.release else channels
        self.resample = nn.ModuleDict()
        if 'higher' in self.sources:
            self.resample['higher'] = Upsample2x(channels, groups)
        if 'lower' in self.sources:
            self.resample['lower'] = nn.Conv1d(channels, channels, 3, stride=2, padding=1,
                                               groups=groups)
        if fusion == 'attention':
            self.own = nn.ModuleDict({
                name: nn.Conv1d(channels, channels, 1) if self.release else
                depthwise_conv(channels, 3) for name in self.sources})
            self.gate = nn.ModuleDict({
                name: nn.Conv1d(channels, channels, 1) if self.release else
                DepthwiseScale(channels) for name in self.sources})
        elif fusion == 'concat':
            self.mix = nn.ModuleDict({
                name: nn.Conv1d(2 * channels, channels, 1) for name in self.sources})

    def forward(self, feats: Sequence[Tensor], masks: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Fuse every level with its neighbours.

        Args:
            feats (Sequence[Tensor]): Per level (B, C, T_l), finest first.
            masks (Sequence[Tensor]): Per level (B, T_l) bool.

        Returns:
            Tuple[Tensor, ...]: Per level (B, C, T_l).
        """
        return tuple(self.fuse(feats, masks, level) for level in range(len(feats)))

    def fuse(self, feats: Sequence[Tensor], masks: Sequence[Tensor], level: int) -> Tensor:
        """Fuse one level with its neighbours, (B, C, T_l)."""
        own, mask = feats[level], masks[level]
        fused = own
        for name in self.sources:
            other = level + (1 if name == 'higher' else -1)
            if not 0 <= other < len(feats):
                continue
            neighbour = self.resample[name](feats[other])[..., :own.shape[-1]]
            if not self.release:
                neighbour = mask_steps(neighbour, mask)
            if self.fusion == 'attention':
                neighbour = neighbour * self.weigh(name, neighbour, own, mask)
            if self.fusion == 'concat':
                fused = self.mix[name](torch.cat([fused, neighbour], dim=1))
            else:
                fused = fused + neighbour
        return fused if self.release else mask_steps(fused, mask)

    def weigh(self, name: str, neighbour: Tensor, own: Tensor, mask: Tensor) -> Tensor:
        """Attention weights of a neighbour's channels (eq. 5 and 7), (B, C, 1)."""
        seen = (neighbour + self.own[name](own)).relu()
        mean = seen.mean(-1, keepdim=True) if self.release else masked_mean(seen, mask)
        return self.gate[name](mean).sigmoid()

