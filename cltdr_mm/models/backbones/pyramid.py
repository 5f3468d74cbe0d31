"""The frame all backbones share: embedding, stem and branch of a temporal feature pyramid.

Source: ActionFormer (Zhang et al., 2022), sec. 3.2; CLTDR-GMG, fig. 2: embedding convolutions,
stem blocks at stride 1, then one block for every further level.

Names: B batch, C input channels, D embedding width, T steps, L levels, R rows of a table. Level l
has T_l = ceil(T / 2^l) steps; level 0 is the finest.
"""
from collections.abc import Callable, Sequence
from typing import Optional, Union

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...structures import Layout, PackedRows
from ..layers import ChannelLayerNorm, NamedConv, set_norm_eps
from ..parts import PyramidPart, refuse_unknown
from .position import SinusoidPosition


class PyramidBackbone(PyramidPart):
    """Embeds a feature sequence and builds a pyramid from it, block by block.

    A subclass passes its blocks to :meth:`add_blocks`. A block maps ``(x, layout)`` to
    ``(x, layout)``, x (R, D); its input is zero in gaps, and so must be its output. A branch block
    halves the grid.

    Args:
        in_channels (int): Channels C of the input features.
        embed_dims (int): Width D of all levels. Defaults to 512.
        arch (Sequence[int]): Number of embedding convolutions, of stem blocks, and of branch
            blocks; the pyramid has ``arch[2] + 1`` levels. Defaults to (2, 2, 5).
        num_levels (int, optional): Number of levels L instead of what ``arch`` says.
            Defaults to None.
        embed_kernel_size (int): Odd kernel of the embedding convolutions. Defaults to 3.
        embed_norm (bool): Whether a channel LayerNorm follows each of them; without it they have
            a bias instead. Defaults to True.
        use_abs_pe (bool): Whether to add a sinusoid position encoding to the embedded features.
            Defaults to False.
        max_len (int): Steps in the position encoding's table. Defaults to 2304.
        input_dropout (float): Probability with which training zeroes a channel of a video's
            features; the others grow in turn. Defaults to 0.0.
        norm_eps (float): ``eps`` of all channel LayerNorms; in a localizer better its own
            ``norm_eps``, which goes to neck and head too. Defaults to 1e-5.
        streams (Sequence[tuple[int, int]], optional): The input's feature streams, in the order of
            the data set's folders: channels of each, and the width to which a convolution of
            kernel 1 projects it. The projections lie beside each other before the embedding, as in
            ActionFormer's models of Ego4D. Defaults to None: the input is one.
        init_cfg (dict, optional): MMEngine's weight initialisation config. Defaults to None.

    Raises:
        ValueError: If ``arch`` or another argument is not of that form.
    """

    def __init__(self,
                 in_channels: int,
                 embed_dims: int = 512,
                 arch: Sequence[int] = (2, 2, 5),
                 num_levels: Optional[int] = None,
                 embed_kernel_size: int = 3,
                 embed_norm: bool = True,
                 use_abs_pe: bool = False,
                 max_len: int = 2304,
                 input_dropout: float = 0.0,
                 norm_eps: float = 1e-5,
                 streams: Optional[Sequence[tuple[int, int]]] = None,
                 init_cfg: Optional[dict] = None,
                 **unknown) -> None:
        refuse_unknown(self, unknown)
        super().__init__(init_cfg=init_cfg)
        if len(arch) != 3 or arch[0] < 1 or min(arch) < 0:
            raise ValueError('arch must be (embedding convolutions >= 1, stem blocks >= 0, branch '
                             f'blocks >= 0), got {tuple(arch)}')
        if num_levels is not None and num_levels < 1:
            raise ValueError(f'num_levels must be positive, got {num_levels}')
        if not 0 <= input_dropout < 1:
            raise ValueError(f'input_dropout must lie in [0, 1), got {input_dropout}')
        self.input_dropout = input_dropout
        self.norm_eps = norm_eps
        self.in_channels = in_channels
        self.embed_dims = embed_dims
        self.arch = tuple(arch) if num_levels is None else (*arch[:2], num_levels - 1)
        self.streams = None if streams is None else checked_streams(streams, in_channels)
        if self.streams is not None:
            self.proj = nn.ModuleList(NamedConv(*stream, 1) for stream in self.streams)
            in_channels = sum(width for _, width in self.streams)
        self.embd = nn.ModuleList(
            NamedConv(in_channels if index == 0 else embed_dims, embed_dims, embed_kernel_size,
                      bias=not embed_norm) for index in range(arch[0]))
        self.embd_norm = nn.ModuleList(
            ChannelLayerNorm(embed_dims) if embed_norm else nn.Identity() for _ in self.embd)
        self.position = SinusoidPosition(embed_dims, max_len) if use_abs_pe else None
        self.stem = nn.ModuleList()
        self.branch = nn.ModuleList()

    @property
    def num_levels(self) -> int:
        """int: Number of pyramid levels L."""
        return self.arch[2] + 1

    @property
    def out_channels(self) -> int:
        """int: Width D of all levels."""
        return self.embed_dims

    def add_blocks(self, make: Callable[[int, int], nn.Module]) -> None:
        """Fill stem and branch.

        Args:
            make (Callable): Called with the level a block works on and its stride (1 in the stem,
                2 in the branch), gives the block.
        """
        self.stem.extend(make(0, 1) for _ in range(self.arch[1]))
        self.branch.extend(make(level, 2) for level in range(1, self.num_levels))
        set_norm_eps(self, self.norm_eps)

    def per_level(self, value: Union[int, Sequence[int]], name: str) -> list:
        """One setting for every level.

        Args:
            value (int | Sequence[int]): One number for all levels, or one for each.
            name (str): What to call it in an error.

        Returns:
            list: L numbers, finest level first.

        Raises:
            ValueError: If a sequence of another length is given.
        """
        values = [value] * self.num_levels if isinstance(value, int) else list(value)
        if len(values) != self.num_levels:
            raise ValueError(f'{name} must be one number or {self.num_levels} numbers, one for '
                             f'each level, got {value}')
        return values

    def stream_remark(self, channels: int) -> str:
        """Which streams there are, and which may be missing; ends a message on ``channels``."""
        if self.streams is None:
            return ''
        text = f' ({" + ".join(str(c) for c, _ in self.streams)} of {len(self.streams)} streams'
        lacking = [f'stream {number} ({c} channels)' for number, (c, _) in enumerate(
            self.streams, 1) if self.in_channels - c == channels]
        return f'{text}{"; is missing: " + " or ".join(lacking) if lacking else ""})'

    def embed(self, x: Tensor, layout: Layout) -> Tensor:
        """Project a table (R, C) to (R, D), zero in gaps."""
        if self.training and self.input_dropout > 0:
            factors = x.new_ones(max(layout.videos) + 1, x.shape[1])
            x = x * F.dropout(factors, self.input_dropout)[layout.video]
        if self.streams is not None:
            parts = x.split([channels for channels, _ in self.streams], dim=1)
            x = torch.cat([proj(part, layout) for proj, part in zip(self.proj, parts)], dim=1)
            x = layout.zero_padding(layout.zero_gaps(x))  # (R, sum of the streams' widths)
        for conv, norm in zip(self.embd, self.embd_norm):
            x = layout.zero_padding(conv(x, layout))  # (R, D)
            normed = isinstance(norm, ChannelLayerNorm)
            x = F.relu(norm(x, layout) if normed else layout.zero_gaps(x), inplace=True)
        return x if self.position is None else self.position(x, layout)

    def forward_rows(self, packed: PackedRows) -> list[PackedRows]:
        """Build the pyramid.

        Args:
            packed (PackedRows): (R, C).

        Returns:
            list[PackedRows]: L tables (R_l, D), finest level first.

        Raises:
            ValueError: If the input has not C channels.
        """
        x, layout = packed.rows, packed.layout
        if x.shape[1] != self.in_channels:
            raise ValueError(f'{type(self).__name__} takes features of {self.in_channels} '
                             f'channels, got {x.shape[1]}{self.stream_remark(x.shape[1])}')
        x = self.embed(x, layout)
        for block in self.stem:
            x, layout = block(x, layout)
        levels = [PackedRows(x, layout)]
        for block in self.branch:
            x, layout = block(x, layout)
            levels.append(PackedRows(x, layout))
        return levels


def checked_streams(streams: Sequence[tuple[int, int]],
                    in_channels: int) -> tuple[tuple[int, int], ...]:
    """Streams as :class:`PyramidBackbone` takes them; raises ValueError if they are none."""
    pairs = tuple(tuple(stream) if isinstance(stream, Sequence) else () for stream in streams)
    if not pairs or not all(len(pair) == 2 and min(pair) > 0 for pair in pairs):
        raise ValueError('streams must be pairs of channels and width, such as [(2304, 384), '
                         f'(256, 128)], got {streams}')
    if sum(channels for channels, _ in pairs) != in_channels:
        raise ValueError(f'streams have {" + ".join(str(c) for c, _ in pairs)} channels together, '
                         f'but in_channels is {in_channels}')
    return pairs
