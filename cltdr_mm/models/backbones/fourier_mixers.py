"""Fourier mixers of other papers, as global views of GMG's block.

Source: FNet (Lee-Thorp et al., 2022), GFNet (Rao et al., 2021) and AFNO (Guibas et al., 2022).
They mix text or images of one size; here each sequence has a length of its own. Shortcuts and norms
are the block's.

Names: X (b, D, F) spectrum of T real steps, F = T // 2 + 1.
"""
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..layers import RealDFT
from .spectral import FourierMixer, SpectralFilter, SpectralMixer


class FNet(FourierMixer):
    """Real part of the Fourier transform over steps and channels; nothing is learned.

    Args:
        norm (str): See :class:`FourierMixer`; the paper's is 'backward'. Defaults to 'ortho'.
    """

    def __init__(self, norm: str = 'ortho') -> None:
        super().__init__(norm)

    def mixing(self) -> Callable[[Tensor], Tensor]:
        """See :meth:`FourierMixer.mixing`."""
        return lambda y: torch.fft.fft2(y, norm=self.norm).real

    def exported_mixing(self) -> Callable[[Tensor], Tensor]:
        """See :meth:`FourierMixer.exported_mixing`."""

        def mix(y: Tensor) -> Tensor:
            over_steps = RealDFT(y.shape[1], self.norm, y, one_sided=False)
            over_channels = RealDFT(y.shape[2], self.norm, y, one_sided=False)
            real, imag = over_steps.forward(y.transpose(1, 2)).transpose(1, 2).unbind(-1)
            return over_channels.forward(real)[..., 0] - over_channels.forward(imag)[..., 1]

        return mix


class GFNet(SpectralFilter):
    """Product with a learned filter, one complex weight a channel and frequency.

    The filter lies on a grid of frequencies from 0 to half a turn a step, and is interpolated
    linearly at those of a sequence. Those of ``2 * (num_frequencies - 1)`` steps are the grid; in a
    longer sequence the filter reaches little further than that many steps.

    Args:
        channels (int): Number of channels D.
        num_frequencies (int): Frequencies of the grid, at least 2. Defaults to 129, those of 256
            steps.
        norm (str): See :class:`FourierMixer`. Defaults to 'ortho', as published.

    Raises:
        ValueError: If there are fewer than 2 frequencies.
    """

    def __init__(self, channels: int, num_frequencies: int = 129, norm: str = 'ortho') -> None:
        super().__init__(norm)
        if num_frequencies < 2:
            raise ValueError(f'num_frequencies must be at least 2, got {num_frequencies}')
        self.weight = nn.Parameter(0.02 * torch.randn(channels, num_frequencies, 2))

    def filter_by_parts(self) -> Callable[[Tensor, int], Tensor]:
        """Interpolate the filter."""
        weight = _at_least_float32(self.weight)
        intervals = weight.shape[1] - 1

        def interpolate(parts: Tensor, steps: int) -> Tensor:  # (D, F, 2)
            # frequency k of T lies at 2 k / T of the grid; by integers, so that no digit is lost
            place = torch.arange(steps // 2 + 1, device=weight.device) * (2 * intervals)
            low = place // steps
            share = ((place % steps).to(weight.dtype) / steps)[:, None]
            high = (low + 1).clamp(max=intervals)
            return torch.lerp(weight.index_select(1, low), weight.index_select(1, high), share)

        return interpolate


class AFNO(SpectralMixer):
    """Two complex layers on the channels of every frequency, in blocks, and soft shrinkage.

    The layers are the same at all frequencies. ReLU and shrinkage act on real and imaginary parts
    apart, as in the published code.

    Args:
        channels (int): Number of channels D.
        num_blocks (int): Blocks of channels that do not see each other; divides D. Defaults to 8.
        norm (str): See :class:`FourierMixer`. Defaults to 'ortho', as published.

    Raises:
        ValueError: If ``channels`` is not a multiple of ``num_blocks``.
    """

    #: Parts of the spectrum smaller than this vanish.
    threshold = 0.01

    def __init__(self, channels: int, num_blocks: int = 8, norm: str = 'ortho') -> None:
        super().__init__(norm)
        if num_blocks < 1 or channels % num_blocks:
            raise ValueError(f'{channels} channels cannot be split into {num_blocks} blocks')
        size = channels // num_blocks
        # real and imaginary parts, block, input, output
        self.w1 = nn.Parameter(0.02 * torch.randn(2, num_blocks, size, size))
        self.b1 = nn.Parameter(0.02 * torch.randn(2, num_blocks, size))
        self.w2 = nn.Parameter(0.02 * torch.randn(2, num_blocks, size, size))
        self.b2 = nn.Parameter(0.02 * torch.randn(2, num_blocks, size))

    def spectral_map_by_parts(self) -> Callable[[Tensor, int], Tensor]:
        """Map every frequency."""
        num_blocks = self.w1.shape[1]
        first, second = _as_real(self.w1, self.b1), _as_real(self.w2, self.b2)

        def convert(parts: Tensor, _: int) -> Tensor:
            # (b, D, F, 2) to (b, blocks, real then imaginary parts, F)
            x = torch.cat([part.unflatten(1, (num_blocks, -1)) for part in parts.unbind(-1)], 2)
            x = F.relu(first[0] @ x + first[1])
            x = F.softshrink(second[0] @ x + second[1], self.threshold)
            # joined, as torch cannot export a view of both axes for every number of frequencies
            return torch.stack([torch.cat(half.unbind(1), 1) for half in x.chunk(2, 2)], -1)

        return convert


def _at_least_float32(x: Tensor) -> Tensor:
    return x.to(torch.promote_types(x.dtype, torch.float32))


def _as_real(weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    """A complex layer as one on real, then imaginary parts: (blocks, 2 s, 2 s), (blocks, 2 s, 1).

    Args:
        weight (Tensor): (2, blocks, s, s), input before output.
        bias (Tensor): (2, blocks, s).
    """
    real, imag = _at_least_float32(weight).transpose(2, 3)
    matrix = torch.cat([torch.cat([real, -imag], -1), torch.cat([imag, real], -1)], -2)
    return matrix, torch.cat([*_at_least_float32(bias)], -1)[..., None]
