"""ActionMamba's encoder: a pyramid of bidirectional state space layers.

Source: Video Mamba Suite (Chen et al., 2024). With a scale s that is learned,

    x' = x + DropPath(s mixer(LN(x)))

and a branch block pools x'. There is no feed-forward network. Parameters carry the names of the
published code.
"""
from typing import Optional

from mmaction.registry import MODELS
from torch import Tensor, nn

from ...structures import Layout
from ..layers import DBM, ChannelLayerNorm, ViM, max_pool
from .block import residual
from .pyramid import PyramidBackbone

MIXERS = dict(dbm=DBM, vim=ViM)


class MambaBlock(nn.Module):
    """Norm, mixer, shortcut; max-pooling last.

    Args:
        channels (int): Width D.
        stride (int): 2 halves the grid. Defaults to 1.
        mixer (str): 'dbm' or 'vim'. Defaults to 'dbm'.
        drop_path (float): Probability of dropping the mixer. Defaults to 0.0.
        scale_undropped (bool): See :func:`residual`. Defaults to True.
        **kwargs: Of the mixer, see :class:`.Mamba`.

    Raises:
        ValueError: If the mixer is unknown.
    """

    def __init__(self,
                 channels: int,
                 stride: int = 1,
                 mixer: str = 'dbm',
                 drop_path: float = 0.0,
                 scale_undropped: bool = True,
                 **kwargs) -> None:
        super().__init__()
        if mixer not in MIXERS:
            raise ValueError(f'mixer must be one of {[*MIXERS]}, got {mixer!r}')
        self.stride = stride
        self.norm = ChannelLayerNorm(channels)
        self.mamba = MIXERS[mixer](channels, **kwargs)
        self.drop_path = residual(channels, drop_path, scale_undropped)

    def forward(self, x: Tensor, layout: Layout) -> tuple[Tensor, Layout]:
        """Run the block.

        Args:
            x (Tensor): (R, D), zero in gaps.
            layout (Layout): Of its rows.

        Returns:
            tuple[Tensor, Layout]: (R', D), zero in gaps, and its layout.
        """
        mixed = layout.zero_padding(self.mamba(self.norm(x, layout), layout))
        x = layout.zero_gaps(self.drop_path(x, mixed, layout))
        if self.stride == 1:
            return x, layout
        x, layout = max_pool(x, layout)
        return layout.zero_padding(x), layout


@MODELS.register_module()
class ActionMamba(PyramidBackbone):
    """ActionMamba's encoder.

    Args:
        in_channels (int): Channels C of the input features.
        embed_dims (int): Width D of all levels. Defaults to 512.
        mixer (str): 'dbm', each direction with its own projection and the rest shared (all
            published configs); 'vim', one projection and the rest for each direction (their
            ablation). Defaults to 'dbm'.
        expand (int, optional): Inner width of the mixer by D. Defaults to None: 1 of 'dbm', 2 of
            'vim'.
        num_states (int): States of a channel. Defaults to 16.
        kernel_size (int): Taps of the mixer's convolution. Defaults to 4.
        drop_path (float): Probability of dropping a mixer. Defaults to 0.3.
        scale_undropped (bool): Whether mixers that are never dropped have learned factors.
            Defaults to True.
        **kwargs: Of :class:`PyramidBackbone`.

    Raises:
        ValueError: If an argument is not of that form.
    """

    def __init__(self,
                 in_channels: int,
                 embed_dims: int = 512,
                 mixer: str = 'dbm',
                 expand: Optional[int] = None,
                 num_states: int = 16,
                 kernel_size: int = 4,
                 drop_path: float = 0.3,
                 scale_undropped: bool = True,
                 **kwargs) -> None:
        super().__init__(in_channels, embed_dims, **kwargs)
        options = {} if expand is None else dict(expand=expand)
        self.add_blocks(lambda level, stride: MambaBlock(
            embed_dims, stride, mixer, drop_path, scale_undropped, num_states=num_states,
            kernel_size=kernel_size, **options))
