"""GMG: the gated multi-granularity encoder.

Source: CLTDR-GMG (Li et al., AAAI 2025), eq. 1-4 and fig. 3. With y = LN(x):

    f_global = irfft(rfft(y) * W),  W made from rfft(y)
    f_local = ReLU(f_global) * DWConv(y),  f_instant = ReLU(f_local) * FC(y)
    out = x + DropPath(y + f_instant + f_local + f_global);  out = out + DropPath(FFN(GN(out)))

Parameters carry the names of the published code; only its `w1 b1 w2 b2` sit one level deeper, in
`global_mixer`.
"""
from collections.abc import Sequence
from functools import partial
from typing import Optional, Union

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from torch import Tensor, nn

from ...structures import Layout
from ...utils import refuse_moved
from ..layers import LocalSelfAttention, depthwise
from .block import MixerBlock, init_depthwise
from .fourier_mixers import AFNO, FNet, GFNet
from .pyramid import PyramidBackbone
from .spectral import AffineFilter, ConvFilter

GRANULARITIES = ('instant', 'local', 'global')
#: Arguments of an earlier version.
MOVED = dict(filter="global_mixer='affine' for filter='affine', nothing for filter='conv'")


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
        gate_act (str, optional): See :class:`GMG`. Defaults to 'relu'.
        global_mixer (str): See :class:`GMG`. Defaults to 'fft'.
        num_heads (int): See :class:`GMG`. Defaults to 4.
        num_frequencies (int): See :class:`GMG`. Defaults to 129.
        fft_norm (str): See :class:`GMG`. Defaults to 'ortho'.
        init_std (float, optional): See :class:`GMG`. Defaults to None.
        force_float32 (bool): See :class:`GMG`. Defaults to False.
        **kwargs: ``drop_path`` and ``scale_undropped`` of :class:`MixerBlock`.

    Raises:
        ValueError: If a granularity, an activation or a mixer is unknown.
    """

    def __init__(self,
                 channels: int,
                 ffn_dims: int,
                 stride: int = 1,
                 kernel_size: int = 3,
                 granularities: Sequence[str] = GRANULARITIES,
                 gate: bool = True,
                 gate_act: Optional[str] = 'relu',
                 global_mixer: str = 'fft',
                 num_heads: int = 4,
                 num_frequencies: int = 129,
                 fft_norm: str = 'ortho',
                 init_std: Optional[float] = None,
                 force_float32: bool = False,
                 **kwargs) -> None:
        super().__init__(channels, ffn_dims, stride, **kwargs)
        if not granularities or not set(granularities) <= set(GRANULARITIES):
            raise ValueError(f'granularities must be one or more of {GRANULARITIES}, '
                             f'got {granularities}')
        mixers = dict(
            fft=partial(ConvFilter, channels, norm=fft_norm),
            affine=partial(AffineFilter, channels, norm=fft_norm),
            attention=partial(LocalSelfAttention, channels, num_heads),
            fnet=partial(FNet, norm=fft_norm),
            gfnet=partial(GFNet, channels, num_frequencies, norm=fft_norm),
            afno=partial(AFNO, channels, num_heads, norm=fft_norm))
        if global_mixer not in mixers:
            raise ValueError(f'global_mixer must be one of {[*mixers]}, got {global_mixer!r}')
        if gate_act not in ('relu', None):
            raise ValueError(f"gate_act must be 'relu' or None, got {gate_act!r}")
        self.gate = gate
        self.gate_act = gate_act
        self.force_float32 = force_float32
        self.fc = depthwise(channels, 1) if 'instant' in granularities else None
        self.convw = depthwise(channels, kernel_size) if 'local' in granularities else None
        init_depthwise([conv for conv in (self.fc, self.convw) if conv is not None], init_std)
        self.global_mixer: Optional[nn.Module] = None
        if 'global' in granularities:
            self.global_mixer = mixers[global_mixer]()

    def gated(self, fine: Tensor, coarse: Optional[Tensor]) -> Tensor:
        """A finer view times the coarser one, if there is any."""
        if coarse is None or not self.gate:
            return fine
        return fine * (F.relu(coarse) if self.gate_act == 'relu' else coarse)

    def mix(self, y: Tensor, layout: Layout) -> Tensor:
        """Add the views to y, see :meth:`MixerBlock.mix`."""
        out, coarse = y, None
        # from coarse to fine, each gated by the one before
        if self.global_mixer is not None:
            coarse = self.global_mixer(y, layout)
            out = out + coarse
        for conv in (self.convw, self.fc):
            if conv is not None:
                coarse = self.gated(conv(y, layout), coarse)
                out = out + coarse
        return out

    def forward(self, x: Tensor, layout: Layout) -> tuple[Tensor, Layout]:
        """Run the block, see :meth:`MixerBlock.forward`."""
        if not self.force_float32:
            return super().forward(x, layout)
        with torch.autocast(x.device.type, enabled=False):
            return super().forward(x.to(self.ln.weight.dtype), layout)


@MODELS.register_module()
class GMG(PyramidBackbone):
    """Gated multi-granularity encoder of CLTDR-GMG.

    Args:
        in_channels (int): Channels C of the input features.
        embed_dims (int): Width D of all levels, a multiple of 16. Defaults to 512.
        ffn_dims (int, optional): Hidden width of the feed-forward networks; None is 4 D.
            Defaults to None.
        kernel_size (int | Sequence[int]): Odd kernel of the local branch, for all levels or for
            each. The paper does not give it; configs have the published values, 1 to 15 by data
            set. Defaults to 3.
        stem_kernel_size (int, optional): The same in stem blocks; the published code has 1.
            Defaults to None: that of the finest level.
        granularities (Sequence[str]): Any of 'instant', 'local', 'global', at least one (paper's
            table 6). Defaults to all.
        gate (bool): Whether coarser granularities gate finer ones (table 7). Defaults to True.
        gate_act (str, optional): 'relu' before a view gates (eq. 3 and 4), or None (published
            code). Defaults to 'relu'.
        global_mixer (str): What the global view is: 'fft', the Fourier filter made by two
            convolutions over frequency (eq. 2); 'affine', made by two maps of each channel
            (published code); 'attention' over all steps (table 8); 'fnet', 'gfnet' or 'afno'
            (supplement A), see :mod:`.fourier_mixers`. Defaults to 'fft'.
        num_heads (int): Heads of 'attention', blocks of 'afno'. Defaults to 4.
        num_frequencies (int): Frequencies of the filter of 'gfnet'. Defaults to 129.
        fft_norm (str): Normalisation of the Fourier transform, 'ortho' (published code) or
            'backward' (eq. 1 as it stands). The filter is made from the spectrum, so under
            'backward' the global view grows with the length of a video. Defaults to 'ortho'.
        init_std (float, optional): Standard deviation that the weights of the instant and local
            branch are drawn with (published name ``init_conv_vars``); None leaves PyTorch's
            default. Defaults to None.
        drop_path (float): Probability of dropping a residual branch. Defaults to 0.1.
        stem_drop_path (float, optional): The same in stem blocks; the published code has 0.
            Defaults to None: ``drop_path``.
        scale_undropped (bool): Whether branches that are never dropped have learned factors; the
            published code has none there. Defaults to True.
        force_float32 (bool): Whether blocks leave autocast, as the published code's do.
            Defaults to False.
        **kwargs: Of :class:`PyramidBackbone`.

    Raises:
        ValueError: If an argument is not of that form.
    """

    def __init__(self,
                 in_channels: int,
                 embed_dims: int = 512,
                 ffn_dims: Optional[int] = None,
                 kernel_size: Union[int, Sequence[int]] = 3,
                 stem_kernel_size: Optional[int] = None,
                 granularities: Sequence[str] = GRANULARITIES,
                 gate: bool = True,
                 gate_act: Optional[str] = 'relu',
                 global_mixer: str = 'fft',
                 num_heads: int = 4,
                 num_frequencies: int = 129,
                 fft_norm: str = 'ortho',
                 init_std: Optional[float] = None,
                 drop_path: float = 0.1,
                 stem_drop_path: Optional[float] = None,
                 scale_undropped: bool = True,
                 force_float32: bool = False,
                 **kwargs) -> None:
        refuse_moved(kwargs, 'GMG', MOVED)
        super().__init__(in_channels, embed_dims, **kwargs)
        self.fft_norm = fft_norm if global_mixer != 'attention' else None
        kernels = self.per_level(kernel_size, 'kernel_size')
        stem = dict(kernel_size=stem_kernel_size or kernels[0],
                    drop_path=drop_path if stem_drop_path is None else stem_drop_path)
        self.add_blocks(lambda level, stride: GMGBlock(
            embed_dims, ffn_dims or 4 * embed_dims, stride,
            **(stem if stride == 1 else dict(kernel_size=kernels[level], drop_path=drop_path)),
            granularities=granularities, gate=gate, gate_act=gate_act, global_mixer=global_mixer,
            num_heads=num_heads, num_frequencies=num_frequencies, fft_norm=fft_norm,
            init_std=init_std, scale_undropped=scale_undropped, force_float32=force_float32))
