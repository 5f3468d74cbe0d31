"""Global mixing in the frequency domain: what transforms share, and the learned filters of GMG.

Source: CLTDR-GMG (Li et al., 2025), eq. 1-3, and its published code. Those of other papers are in
:mod:`.fourier_mixers`.

Names: X (b, D, F) spectrum of T real steps, F = T // 2 + 1; W its filter, made from X itself.
"""
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...structures import Layout
from ..layers import RealDFT, complex_product, depthwise, depthwise_along, is_exported


class _RealTransform(torch.autograd.Function):
    """``torch.fft.rfft`` over the last dimension, whose gradient is a real transform too."""

    @staticmethod
    def forward(ctx, y: Tensor, norm: str) -> Tensor:
        ctx.steps, ctx.norm = y.shape[-1], norm
        return torch.fft.rfft(y, norm=norm)

    @staticmethod
    def backward(ctx, grad: Tensor):
        # the inverse transform adds the conjugate of every frequency but the first, and the last
        # of an even number of steps: here each counts once
        grad = grad.clone()
        grad[..., 1:(ctx.steps + 1) // 2] *= 0.5
        norm = 'ortho' if ctx.norm == 'ortho' else 'forward'
        return torch.fft.irfft(grad, n=ctx.steps, norm=norm), None


class FourierMixer(nn.Module):
    """Mixes the steps of each sequence by a Fourier transform over the rows it sees.

    So nothing depends on the rest of the batch. Runs in float32 at least: half precision
    transforms exist for powers of two only, and lose the digits.

    Args:
        norm (str): Normalisation of transforms as in ``torch.fft``: 'backward' or 'ortho'.

    Raises:
        ValueError: If ``norm`` is neither.
    """

    def __init__(self, norm: str) -> None:
        super().__init__()
        if norm not in ('backward', 'ortho'):
            raise ValueError(f"fft_norm must be 'backward' or 'ortho', got {norm!r}")
        self.norm = norm

    def mixing(self) -> Callable[[Tensor], Tensor]:
        """What mixes whole sequences, (b, T, D) to (b, T, D); asked for once a forward."""
        raise NotImplementedError

    def exported_mixing(self) -> Callable[[Tensor], Tensor]:
        """What computes the same in operators that ONNX has."""
        raise NotImplementedError

    def forward(self, y: Tensor, layout: Layout) -> Tensor:
        """Mix a table (R, D)."""
        with torch.autocast(y.device.type, enabled=False):
            wide = y.float() if y.dtype in (torch.float16, torch.bfloat16) else y
            mix = self.exported_mixing() if is_exported() else self.mixing()
            return layout.apply(mix, wide).to(y.dtype)


class SpectralMixer(FourierMixer):
    """Maps the spectrum of each sequence to another one, and transforms it back."""

    def spectral_map(self) -> Callable[[Tensor, int], Tensor]:
        """What maps a spectrum (b, D, F) of so many steps to another one, both complex."""
        by_parts = self.spectral_map_by_parts()
        return lambda spectrum, steps: torch.view_as_complex(
            by_parts(torch.view_as_real(spectrum), steps))

    def spectral_map_by_parts(self) -> Callable[[Tensor, int], Tensor]:
        """The same of real and imaginary parts, (b, D, F, 2) to (b, D, F, 2)."""
        raise NotImplementedError

    def mixing(self) -> Callable[[Tensor], Tensor]:
        """See :meth:`FourierMixer.mixing`."""
        spectral_map = self.spectral_map()

        def mix(y: Tensor) -> Tensor:
            # a transform runs along memory: channels first here, and back
            spectrum = _RealTransform.apply(y.transpose(1, 2).contiguous(), self.norm)
            spectrum = spectral_map(spectrum, y.shape[1])
            return torch.fft.irfft(spectrum, n=y.shape[1], norm=self.norm).transpose(1, 2)

        return mix

    def exported_mixing(self) -> Callable[[Tensor], Tensor]:
        """See :meth:`FourierMixer.exported_mixing`."""
        spectral_map = self.spectral_map_by_parts()

        def mix(y: Tensor) -> Tensor:
            dft = RealDFT(y.shape[1], self.norm, y)
            spectrum = spectral_map(dft.forward(y.transpose(1, 2)), y.shape[1])
            return dft.inverse(spectrum).transpose(1, 2)

        return mix


class SpectralFilter(SpectralMixer):
    """Multiplies the spectrum of each sequence by a filter.

    GMG's are made from the spectrum itself, so the choice of ``norm`` is not neutral.
    """

    def filter(self) -> Callable[[Tensor, int], Tensor]:
        """What gives the filter of a spectrum (b, D, F) of so many steps, both complex."""
        by_parts = self.filter_by_parts()
        return lambda spectrum, steps: torch.view_as_complex(
            by_parts(torch.view_as_real(spectrum), steps))

    def filter_by_parts(self) -> Callable[[Tensor, int], Tensor]:
        """The same of real and imaginary parts, (b, D, F, 2) to (b, D, F, 2)."""
        raise NotImplementedError

    def spectral_map(self) -> Callable[[Tensor, int], Tensor]:
        """See :meth:`SpectralMixer.spectral_map`."""
        filter = self.filter()
        return lambda spectrum, steps: spectrum * filter(spectrum, steps)

    def spectral_map_by_parts(self) -> Callable[[Tensor, int], Tensor]:
        """See :meth:`SpectralMixer.spectral_map_by_parts`."""
        filter = self.filter_by_parts()
        return lambda parts, steps: complex_product(parts, filter(parts, steps))


class ConvFilter(SpectralFilter):
    """The paper's filter: depth-wise convolution over frequency, ReLU, and another one (eq. 2).

    Real and imaginary parts are 2D channels of a real sequence over F; the paper leaves that open.

    Args:
        channels (int): Number of channels D.
        kernel_size (int): Odd kernel over frequency. Defaults to 3.
        norm (str): See :class:`FourierMixer`. Defaults to 'ortho'.
    """

    def __init__(self, channels: int, kernel_size: int = 3, norm: str = 'ortho') -> None:
        super().__init__(norm)
        self.conv1 = depthwise(2 * channels, kernel_size)
        self.conv2 = depthwise(2 * channels, kernel_size)

    def filter_by_parts(self) -> Callable[[Tensor, int], Tensor]:
        """Convolve the spectrum twice."""
        first, second = _by_part(self.conv1), _by_part(self.conv2)

        def convolve(parts: Tensor, _: int) -> Tensor:  # (b, D, F, 2), along F
            hidden = F.relu(depthwise_along(parts, *first, dim=-2), inplace=True)
            return depthwise_along(hidden, *second, dim=-2)

        return convolve


def _by_part(conv: nn.Module) -> tuple[Tensor, Tensor]:
    """Taps (k, D, 1, 2) and bias (D, 1, 2): D channels of real parts, then D of imaginary ones."""
    taps = conv.weight[:, 0].unflatten(0, (2, -1)).permute(2, 1, 0)  # (k, D, 2)
    bias = conv.bias.unflatten(0, (2, -1)).t()  # (D, 2)
    # contiguous: of a spectrum of one frequency the result would take their order in memory
    return taps[:, :, None].contiguous(), bias[:, None].contiguous()


class AffineFilter(SpectralFilter):
    """The published code's filter: two complex affine maps per channel, ReLU between them.

    ReLU and soft shrinkage act on real and imaginary parts apart.

    Args:
        channels (int): Number of channels D.
        norm (str): See :class:`FourierMixer`. Defaults to 'ortho', as published.
    """

    #: Parts of the filter smaller than this vanish.
    threshold = 0.001

    def __init__(self, channels: int, norm: str = 'ortho') -> None:
        super().__init__(norm)
        self.w1 = nn.Parameter(0.02 * torch.randn(2, channels, 1))
        self.b1 = nn.Parameter(0.02 * torch.randn(2, channels))
        self.w2 = nn.Parameter(0.02 * torch.randn(2, channels, 1))
        self.b2 = nn.Parameter(0.02 * torch.randn(2, channels))

    def filter(self) -> Callable[[Tensor, int], Tensor]:
        """Map the spectrum twice."""
        first, second = _complex_map(self.w1, self.b1), _complex_map(self.w2, self.b2)

        def convert(spectrum: Tensor, _: int) -> Tensor:
            hidden = spectrum * first[0] + first[1]
            hidden = torch.complex(hidden.real.relu(), hidden.imag.relu()) * second[0] + second[1]
            return torch.complex(F.softshrink(hidden.real, self.threshold),
                                 F.softshrink(hidden.imag, self.threshold))

        return convert

    def filter_by_parts(self) -> Callable[[Tensor, int], Tensor]:
        """What :meth:`filter` computes, without complex numbers."""
        maps = [(weight.movedim(0, -1), bias.t()[:, None])  # (D, 1, 2) both
                for weight, bias in ((self.w1, self.b1), (self.w2, self.b2))]

        def convert(parts: Tensor, _: int) -> Tensor:
            (weight, bias), (last_weight, last_bias) = maps
            hidden = (complex_product(parts, weight) + bias).relu()
            return F.softshrink(complex_product(hidden, last_weight) + last_bias, self.threshold)

        return convert


def _complex_map(weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    """Factor and offset of every channel, (D, 1) complex, of (2, D, 1) and (2, D)."""
    real = torch.promote_types(weight.dtype, torch.float32)
    return torch.complex(*weight.to(real)), torch.complex(*bias.to(real))[:, None]
