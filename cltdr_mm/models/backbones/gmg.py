"""GMG: the gated multi-granularity encoder.

Source: CLTDR-GMG (Li et al., AAAI 2025), eq. 1-4 and fig. 3. With y = LN(x):

    f_global = irfft(rfft(y) * W),  W made from rfft(y)
    f_local = ReLU(f_global) * DWConv(y),  f_instant = ReLU(f_local) * FC(y)
    out = x + DropPath(y + f_instant + f_local + f_global);  out = out + DropPath(FFN(GN(out)))

Parameters carry the names of the published code; only its `w1 b1 w2 b2` sit one level deeper, in
`global_mixer`.
"""
from collections.abc import Sequence
from typing import Optional, Union

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from torch import Tensor, nn

from ..layers import LocalSelfAttention, depthwise_conv
from .block import MixerBlock, init_depthwise
from .pyramid import PyramidBackbone
from .spectral import AffineFilter, ConvFilter

GRANULARITIES = ('instant', 'local', 'global')


class GMGBlock(MixerBlock):
    """Sums instant, local and global views of a sequence, the finer gated by the coarser.

    A granularity that is left out gates nothing: the next coarser one that is there does, and the
    coarsest one is not gated.

    Args:
        channels (int): Width D, a multiple of 16.
        ffn_dims (int): Hidden width of the feed-forward network.
        stride (int): 2 halves the grid first. Defaults to 1.
        kernel_size (int): Odd kernel of the local branch. Defaults to 3.
        granularities (Sequence[str]): Any of 'instant', 'local', 'global', at least one.
            Defaults to all.
        gate (bool): Whether coarser views gate finer ones. Defaults to True.
        global_mixer (str): 'fft' or 'attention'. Defaults to 'fft'.
        num_heads (int): Heads of the attention. Defaults to 4.
        fft_norm (str, optional): See :class:`GMG`. Defaults to None.
        init_std (float, optional): Standard deviation that the weights of the instant and local
            branch are drawn with; None leaves PyTorch's default. Defaults to None.
        drop_path (float): Probability of dropping a residual branch. Defaults to 0.0.
        variant (str): 'paper' or 'release', see :class:`GMG`. Defaults to 'paper'.

    Raises:
        ValueError: If a granularity or the global mixer is unknown.
    """

    def __init__(self,
                 channels: int,
                 ffn_dims: int,
                 stride: int = 1,
                 kernel_size: int = 3,
                 granularities: Sequence[str] = GRANULARITIES,
                 gate: bool = True,
                 global_mixer: str = 'fft',
                 num_heads: int = 4,
                 fft_norm: Optional[str] = None,
                 init_std: Optional[float] = None,
                 drop_path: float = 0.0,
                 variant: str = 'paper') -> None:
        super().__init__(channels, ffn_dims, stride, drop_path=drop_path, variant=variant)
        if not granularities or not set(granularities) <= set(GRANULARITIES):
            raise ValueError(f'granularities must be one or more of {GRANULARITIES}, '
                             f'got {granularities}')
        if global_mixer not in ('fft', 'attention'):
            raise ValueError(f"global_mixer must be 'fft' or 'attention', got {global_mixer!r}")
        self.gate = gate
        self.fc = depthwise_conv(channels, 1) if 'instant' in granularities else None
        self.convw = depthwise_conv(channels, kernel_size) if 'local' in granularities else None
        init_depthwise([conv for conv in (self.fc, self.convw) if conv is not None], init_std)
        self.global_mixer: Optional[nn.Module] = None
        if 'global' in granularities:
            if global_mixer == 'attention':
                self.global_mixer = LocalSelfAttention(channels, num_heads)
            else:
                kind = AffineFilter if self.release else ConvFilter
                norm = fft_norm or ('ortho' if self.release else 'backward')
                self.global_mixer = kind(channels, norm=norm)

    def _gated(self, fine: Tensor, coarse: Optional[Tensor]) -> Tensor:
        if coarse is None or not self.gate:
            return fine
        return fine * (coarse if self.release else F.relu(coarse))

    def mix(self, y: Tensor, mask: Tensor, lengths: Optional[list]) -> Tensor:
        """Add the views to y, see :meth:`MixerBlock.mix`."""
        out, coarse = y, None
        if isinstance(self.global_mixer, LocalSelfAttention):
            coarse = self.global_mixer(y, mask)
            out = out + coarse
        elif self.global_mixer is not None:
            coarse = self.global_mixer(y, lengths)
            out = out + coarse
        for conv in (self.convw, self.fc):
            if conv is not None:
                coarse = self._gated(conv(y), coarse)
                out = out + coarse
        return out

    def forward(self,
                x: Tensor,
                mask: Tensor,
                lengths: Optional[list] = None) -> tuple[Tensor, Tensor]:
        """Run the block, see :meth:`MixerBlock.forward`."""
        if not self.release:
            return super().forward(x, mask, lengths)
        with torch.autocast(x.device.type, enabled=False):  # as published: never half precision
            return super().forward(x.to(self.ln.weight.dtype), mask, lengths)


@MODELS.register_module()
class GMG(PyramidBackbone):
    """Gated multi-granularity encoder of CLTDR-GMG.

    Variant 'release' differs from the paper as the published code does: gates without ReLU, the
    stem without DropPath and with kernel 1, a filter of two affine maps under an orthonormal
    transform, transform and pooling and GroupNorm over padding too, float32 always.

    Args:
        in_channels (int): Channels C of the input features.
        embed_dims (int): Width D of all levels, a multiple of 16. Defaults to 512.
        arch (Sequence[int]): See :class:`PyramidBackbone`. Defaults to (2, 2, 5).
        ffn_dims (int, optional): Hidden width of the feed-forward networks; None is 4 D.
            Defaults to None.
        kernel_size (int | Sequence[int]): Odd kernel of the local branch, for all levels or for
            each. The paper does not give it. Defaults to 3.
        granularities (Sequence[str]): Any of 'instant', 'local', 'global', at least one (paper's
            table 6). Defaults to all.
        gate (bool): Whether coarser granularities gate finer ones (table 7). Defaults to True.
        global_mixer (str): 'fft', or 'attention' over all steps (table 8). Defaults to 'fft'.
        num_heads (int): Heads of the attention. Defaults to 4.
        fft_norm (str, optional): Normalisation of the Fourier transform, 'backward' (eq. 1 as it
            stands) or 'ortho' (the published code). The filter is made from the spectrum, so under
            'backward' the global view grows with the length of a video. None takes what belongs to
            the variant. Defaults to None.
        init_std (float, optional): Standard deviation that the weights of the instant and local
            branch are drawn with (published name ``init_conv_vars``); None leaves PyTorch's
            default. Defaults to None.
        drop_path (float): Probability of dropping a residual branch. Defaults to 0.1.
        **kwargs: ``embed_kernel_size``, ``embed_norm``, ``use_abs_pe``, ``max_len``, ``variant``
            and ``init_cfg`` of :class:`PyramidBackbone`.

    Raises:
        ValueError: If an argument is not of that form.
    """

    def __init__(self,
                 in_channels: int,
                 embed_dims: int = 512,
                 arch: Sequence[int] = (2, 2, 5),
                 ffn_dims: Optional[int] = None,
                 kernel_size: Union[int, Sequence[int]] = 3,
                 granularities: Sequence[str] = GRANULARITIES,
                 gate: bool = True,
                 global_mixer: str = 'fft',
                 num_heads: int = 4,
                 fft_norm: Optional[str] = None,
                 init_std: Optional[float] = None,
                 drop_path: float = 0.1,
                 **kwargs) -> None:
        super().__init__(in_channels, embed_dims, arch, **kwargs)
        # Over the padded length the published transform needs no lengths; attention has the mask.
        self.uses_lengths = (not self.release and 'global' in granularities
                             and global_mixer == 'fft')
        kernels = self.per_level(kernel_size, 'kernel_size')

        def make(level: int, stride: int) -> GMGBlock:
            bare = self.release and stride == 1
            return GMGBlock(
                embed_dims,
                ffn_dims or 4 * embed_dims,
                stride,
                kernel_size=1 if bare else kernels[level],
                granularities=granularities,
                gate=gate,
                global_mixer=global_mixer,
                num_heads=num_heads,
                fft_norm=fft_norm,
                init_std=init_std,
                drop_path=0.0 if bare else drop_path,
                variant='release' if self.release else 'paper')

        self.add_blocks(make)
