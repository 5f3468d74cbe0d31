"""The frame all backbones share: embedding, stem and branch of a temporal feature pyramid.

Source: ActionFormer (Zhang et al., 2022), sec. 3.2; CLTDR-GMG, fig. 2: embedding convolutions,
stem blocks at stride 1, then one block for every further level.

Names: B batch, C input channels, D embedding width, T steps, L levels. Level l has
T_l = ceil(T / 2^l) steps; level 0 is the finest.
"""
from collections.abc import Sequence
from typing import Callable, Optional, Union

import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from ..layers import ChannelLayerNorm, MaskedConv1d, mask_steps
from .position import SinusoidPosition

VARIANTS = ('paper', 'release')


def check_variant(variant: str) -> bool:
    """Whether to compute what the published code computes, padding leaks included.

    Args:
        variant (str): 'paper' or 'release'.

    Returns:
        bool: True for 'release'.

    Raises:
        ValueError: For any other name.
    """
    if variant not in VARIANTS:
        raise ValueError(f'variant must be one of {VARIANTS}, got {variant!r}')
    return variant == 'release'


class PyramidBackbone(BaseModule):
    """Embeds a feature sequence and builds a pyramid from it, block by block.

    A subclass passes its blocks to :meth:`add_blocks`. A block maps ``(x, mask)`` to ``(x, mask)``
    and leaves zeros at padded steps; a branch block halves the grid.

    Args:
        in_channels (int): Channels C of the input features.
        embed_dims (int): Width D of all levels. Defaults to 512.
        arch (Sequence[int]): Number of embedding convolutions, of stem blocks, and of branch
            blocks; the pyramid has ``arch[2] + 1`` levels. Defaults to (2, 2, 5).
        embed_kernel_size (int): Odd kernel of the embedding convolutions. Defaults to 3.
        embed_norm (bool): Whether a channel LayerNorm follows each of them; without it they have
            a bias instead. Defaults to True.
        use_abs_pe (bool): Whether to add a sinusoid position encoding to the embedded features.
            Defaults to False.
        max_len (int): Steps in the position encoding's table. Defaults to 2304.
        variant (str): 'paper' respects the mask everywhere; 'release' computes what the published
            code of the family does, where padding leaks into the features. Defaults to 'paper'.
        init_cfg (dict, optional): MMEngine's weight initialisation config. Defaults to None.

    Raises:
        ValueError: If ``arch`` or ``variant`` is not of that form.
    """

    #: Whether the blocks want the number of valid steps of each sample as a third argument.
    uses_lengths = False

    def __init__(self,
                 in_channels: int,
                 embed_dims: int = 512,
                 arch: Sequence[int] = (2, 2, 5),
                 embed_kernel_size: int = 3,
                 embed_norm: bool = True,
                 use_abs_pe: bool = False,
                 max_len: int = 2304,
                 variant: str = 'paper',
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(init_cfg=init_cfg)
        if len(arch) != 3 or arch[0] < 1 or min(arch) < 0:
            raise ValueError('arch must be (embedding convolutions >= 1, stem blocks >= 0, branch '
                             f'blocks >= 0), got {tuple(arch)}')
        self.release = check_variant(variant)
        self.in_channels = in_channels
        self.embed_dims = embed_dims
        self.arch = tuple(arch)
        self.embd = nn.ModuleList(
            MaskedConv1d(
                in_channels if index == 0 else embed_dims,
                embed_dims,
                embed_kernel_size,
                bias=not embed_norm) for index in range(arch[0]))
        self.embd_norm = nn.ModuleList(
            ChannelLayerNorm(embed_dims) if embed_norm else nn.Identity() for _ in self.embd)
        self.position = SinusoidPosition(embed_dims, max_len) if use_abs_pe else None
        self.stem = nn.ModuleList()
        self.branch = nn.ModuleList()

    @property
    def num_levels(self) -> int:
        """Number of pyramid levels L."""
        return self.arch[2] + 1

    def add_blocks(self, make: Callable[[int, int], nn.Module]) -> None:
        """Fill stem and branch.

        Args:
            make (Callable): Called with the level a block works on and its stride (1 in the stem,
                2 in the branch), gives the block.
        """
        self.stem.extend(make(0, 1) for _ in range(self.arch[1]))
        self.branch.extend(make(level, 2) for level in range(1, self.num_levels))

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

    def embed(self, x: Tensor, masks: Tensor) -> Tensor:
        """Project to D channels.

        Args:
            x (Tensor): (B, C, T).
            masks (Tensor): (B, T) bool.

        Returns:
            Tensor: (B, D, T).
        """
        # Whatever a caller left in the padding must not reach the last valid step.
        x = x.masked_fill(~masks[:, None], 0)
        for conv, norm in zip(self.embd, self.embd_norm):
            x = F.relu(norm(conv(x, masks)[0]))
            if not self.release:  # the norm's bias has just filled the padding
                x = mask_steps(x, masks)
        if self.position is not None:
            # The published code stretches the table to the padded length.
            lengths = masks.new_full((len(masks), ), masks.shape[1], dtype=int)
            x = self.position(x, masks, lengths if self.release else None)
        return x

    def forward(self, x: Tensor, masks: Tensor) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        """Build the pyramid.

        Args:
            x (Tensor): (B, C, T).
            masks (Tensor): (B, T) bool, True where valid: the first steps of every sample.

        Returns:
            tuple: L features, (B, D, T_l) each, finest first; and their masks, (B, T_l) each,
            where level l holds every 2^l-th step of the input's mask.

        Raises:
            ValueError: If the shapes of input and masks are not these.
        """
        if x.dim() != 3 or x.shape[1] != self.in_channels:
            raise ValueError(f'{type(self).__name__} takes (batch, {self.in_channels}, steps), '
                             f'got {tuple(x.shape)}')
        if masks.shape != (x.shape[0], x.shape[2]):
            raise ValueError(f'masks must be {(x.shape[0], x.shape[2])} for this input, '
                             f'got {tuple(masks.shape)}')
        x = self.embed(x, masks)
        # One transfer to the host here instead of one in every block.
        lengths = masks.sum(dim=1).tolist() if self.uses_lengths else None
        for block in self.stem:
            x, masks = self.apply_block(block, x, masks, lengths)
        feats, level_masks = [x], [masks]
        for block in self.branch:
            if lengths is not None:
                lengths = [-(-length // 2) for length in lengths]
            x, masks = self.apply_block(block, x, masks, lengths)
            feats.append(x)
            level_masks.append(masks)
        return tuple(feats), tuple(level_masks)

    def apply_block(self, block: nn.Module, x: Tensor, mask: Tensor,
                    lengths: Optional[list]) -> tuple[Tensor, Tensor]:
        """Run one block, with the lengths if it wants them."""
        return block(x, mask) if lengths is None else block(x, mask, lengths)
