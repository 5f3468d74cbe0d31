"""CausalTAD's encoder: causal attention beside a state space layer, in both directions.

Source: CausalTAD (Liu et al., 2024). With E = 2 D, for each direction

    [a; z; p; g] = in_proj y
    m = scan(a) SiLU(z),  t = attention(p) SiLU(g),  out = out_proj [m; t; m_back; t_back]

where a step attends to itself and those before it. Parameters carry the names of the published
code.
"""
import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from torch import Tensor, nn

from ...structures import Layout
from ..layers import ChannelLayerNorm, Mamba, max_pool, reverse
from ..layers.state_space import depthwise_directions
from .block import residual
from .pyramid import PyramidBackbone


class ThirdsConv(nn.Conv1d):
    """Depth-wise convolution of kernel 3 that makes three channels of every one.

    Args:
        channels (int): Channels E of the input.
    """

    def __init__(self, channels: int) -> None:
        super().__init__(channels, 3 * channels, 3, padding=1, groups=channels)
        nn.init.zeros_(self.bias)

    def forward(self, x: Tensor, layout: Layout) -> Tensor:
        """Convolve; channel c comes from channel c // 3, so that each third comes from a third.

        Args:
            x (Tensor): (R, G, E), zero in gaps.
            layout (Layout): Of its rows.

        Returns:
            Tensor: (R, G, 3 E), without meaning in gaps.
        """
        return depthwise_directions(x.repeat_interleave(3, dim=2), self.weight, self.bias, layout,
                                    before=1)


class HybridMixer(Mamba):
    """Mamba's layer and causal attention, in both directions.

    Queries come from the first third of the attention's inputs, keys from the second and values
    from the last. The directions have their own projections and share everything else.

    Args:
        width (int): Width D.
        num_heads (int): Heads of the attention; divides the inner width E. Defaults to 4.
        **kwargs: Of :class:`Mamba`.

    Raises:
        ValueError: If E is not a multiple of ``num_heads``.
    """

    streams, merged = 8, 4

    def __init__(self, width: int, num_heads: int = 4, **kwargs) -> None:
        super().__init__(width, **kwargs)
        if self.channels % num_heads:
            raise ValueError(f'{self.channels} channels do not split into {num_heads} heads')
        self.num_heads = num_heads
        self.qkv = ThirdsConv(self.channels)

    def attend_block(self, block: Tensor) -> Tensor:
        """Causal attention of whole sequences: what is attended (b, T, 3 E) to (b, T, E)."""
        heads = [x.reshape(*x.shape[:2], self.num_heads, -1).transpose(1, 2)  # (b, H, T, d)
                 for x in block.chunk(3, dim=2)]
        out = F.scaled_dot_product_attention(*heads, is_causal=True)
        return out.transpose(1, 2).flatten(2)

    def forward(self, x: Tensor, layout: Layout) -> Tensor:
        """See :meth:`Mamba.forward`."""
        a, z, p, g, a_back, z_back, p_back, g_back = self.in_proj(x).chunk(8, dim=1)
        ahead = torch.stack([a, p], dim=1)  # (R, 2, E), of the scan and of the attention
        back = reverse(torch.cat([a_back, p_back], dim=1), layout).view_as(ahead)
        scanned, attended = torch.stack([ahead, back], dim=1).unbind(2)  # (R, G, E) each
        m, m_back = self.scan(scanned, layout).unbind(1)
        t, t_back = (layout.apply(self.attend_block, qkv)
                     for qkv in self.qkv(attended, layout).unbind(1))
        m_back, t_back = reverse(torch.cat([m_back, t_back.to(m_back.dtype)], dim=1),
                                 layout).chunk(2, dim=1)
        return self.out_proj(torch.cat([
            m * F.silu(z), t * F.silu(g), m_back * F.silu(z_back), t_back * F.silu(g_back)], dim=1))


class HybridBlock(nn.Module):
    """Norm, mixer, shortcut; max-pooling last.

    Args:
        channels (int): Width D.
        stride (int): 2 halves the grid. Defaults to 1.
        drop_path (float): Probability of dropping the mixer. Defaults to 0.0.
        scale_undropped (bool): See :func:`residual`. Defaults to True.
        **kwargs: Of :class:`HybridMixer`.
    """

    def __init__(self,
                 channels: int,
                 stride: int = 1,
                 drop_path: float = 0.0,
                 scale_undropped: bool = True,
                 **kwargs) -> None:
        super().__init__()
        self.stride = stride
        self.norm = ChannelLayerNorm(channels)
        self.block = HybridMixer(channels, **kwargs)
        self.drop_path = residual(channels, drop_path, scale_undropped)

    def forward(self, x: Tensor, layout: Layout) -> tuple[Tensor, Layout]:
        """Run the block.

        Args:
            x (Tensor): (R, D), zero in gaps.
            layout (Layout): Of its rows.

        Returns:
            tuple[Tensor, Layout]: (R', D), zero in gaps and at padding, and its layout.
        """
        x = self.drop_path(x, self.block(self.norm(x, layout), layout), layout)
        x = layout.zero_gaps(layout.zero_padding(x))
        if self.stride == 2:
            x, layout = max_pool(x, layout)
        return layout.zero_padding(x), layout


@MODELS.register_module()
class CausalTAD(PyramidBackbone):
    """CausalTAD's encoder.

    Args:
        in_channels (int): Channels C of the input features.
        embed_dims (int): Width D of all levels. Defaults to 512.
        num_heads (int): Heads of the attention; divides the inner width. Defaults to 4.
        expand (int): Inner width of the mixer by D. Defaults to 2.
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
                 num_heads: int = 4,
                 expand: int = 2,
                 num_states: int = 16,
                 kernel_size: int = 4,
                 drop_path: float = 0.3,
                 scale_undropped: bool = True,
                 **kwargs) -> None:
        super().__init__(in_channels, embed_dims, **kwargs)
        self.add_blocks(lambda level, stride: HybridBlock(
            embed_dims, stride, drop_path, scale_undropped, num_heads=num_heads,
            expand=expand, num_states=num_states, kernel_size=kernel_size))
