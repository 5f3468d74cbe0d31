"""Global mixing in the frequency domain: the learned filters of GMG.

Source: CLTDR-GMG (Li et al., 2025), eq. 1-3; AFNO (Guibas et al., 2021) for the published code's
filter.

Names: X (B, D, F) spectrum of T real steps, F = T // 2 + 1; W its filter, made from X itself.
"""
from typing import Optional

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def _conv_in_type_of(conv: nn.Conv1d, x: Tensor) -> Tensor:
    """Apply a convolution in its input's type: a half precision model filters in float32."""
    return F.conv1d(
        x,
        conv.weight.to(x.dtype),
        conv.bias.to(x.dtype),
        padding=conv.padding,
        groups=conv.groups)


class SpectralMixer(nn.Module):
    """Multiplies the spectrum of each sequence by a filter computed from it.

    Each sequence is transformed over its own length, so nothing depends on padding or on the rest
    of the batch; sequences of one length are transformed together. Runs in float32 at least: half
    precision transforms exist for powers of two only, and lose the digits.

    Args:
        norm (str): Normalisation of the transform pair as in ``torch.fft``: 'backward' or
            'ortho'. The filter is made from the spectrum, so the choice is not neutral.

    Raises:
        ValueError: If ``norm`` is neither.
    """

    def __init__(self, norm: str) -> None:
        super().__init__()
        if norm not in ('backward', 'ortho'):
            raise ValueError(f"fft_norm must be 'backward' or 'ortho', got {norm!r}")
        self.norm = norm

    def filter(self, spectrum: Tensor) -> Tensor:
        """Compute the filter.

        Args:
            spectrum (Tensor): (B, D, F) complex.

        Returns:
            Tensor: (B, D, F) complex.
        """
        raise NotImplementedError

    def transform(self, y: Tensor) -> Tensor:
        """Filter sequences without padding, (B, D, T) to (B, D, T)."""
        spectrum = torch.fft.rfft(y, norm=self.norm)
        return torch.fft.irfft(
            spectrum * self.filter(spectrum), n=y.shape[-1], norm=self.norm)

    def forward(self, y: Tensor, lengths: Optional[list] = None) -> Tensor:
        """Filter a batch.

        Args:
            y (Tensor): (B, D, T).
            lengths (list[int], optional): Number of valid steps of each sample; None transforms
                all T steps, padding included.

        Returns:
            Tensor: (B, D, T), zero beyond the lengths.
        """
        steps = y.shape[-1]
        with torch.autocast(y.device.type, enabled=False):
            wide = y.float() if y.dtype in (torch.float16, torch.bfloat16) else y
            if lengths is None or all(length == steps for length in lengths):
                return self.transform(wide).to(y.dtype)
            rows_by_length: dict = {}
            for row, length in enumerate(lengths):
                rows_by_length.setdefault(length, []).append(row)
            outs, order = [], []
            for length, rows in rows_by_length.items():
                if length:
                    out = self.transform(wide[rows, :, :length])
                    outs.append(F.pad(out, (0, steps - length)))
                else:  # nothing to transform
                    outs.append(torch.zeros_like(wide[rows]))
                order += rows
            inverse = sorted(range(len(order)), key=order.__getitem__)
            return torch.cat(outs)[inverse].to(y.dtype)


class ConvFilter(SpectralMixer):
    """The paper's filter: depth-wise convolution over frequency, ReLU, and another one (eq. 2).

    Real and imaginary parts are 2D channels of a real sequence over F; the paper leaves that open.

    Args:
        channels (int): Number of channels D.
        kernel_size (int): Odd kernel over frequency. Defaults to 3.
        norm (str): See :class:`SpectralMixer`. Defaults to 'backward', eq. 1's plain sum.
    """

    def __init__(self, channels: int, kernel_size: int = 3, norm: str = 'backward') -> None:
        super().__init__(norm)
        self.conv1 = nn.Conv1d(
            2 * channels,
            2 * channels,
            kernel_size,
            padding=kernel_size // 2,
            groups=2 * channels)
        self.conv2 = nn.Conv1d(
            2 * channels,
            2 * channels,
            kernel_size,
            padding=kernel_size // 2,
            groups=2 * channels)
        nn.init.zeros_(self.conv1.bias)
        nn.init.zeros_(self.conv2.bias)

    def filter(self, spectrum: Tensor) -> Tensor:
        """Convolve the spectrum twice, (B, D, F) to (B, D, F)."""
        parts = torch.cat((spectrum.real, spectrum.imag), dim=1)  # (B, 2D, F)
        parts = _conv_in_type_of(self.conv2, F.relu(_conv_in_type_of(self.conv1, parts)))
        return torch.complex(*parts.chunk(2, dim=1))


class AffineFilter(SpectralMixer):
    """The published code's filter: two complex affine maps per channel, ReLU between them.

    ReLU and soft shrinkage act on real and imaginary parts apart.

    Args:
        channels (int): Number of channels D.
        norm (str): See :class:`SpectralMixer`. Defaults to 'ortho', as published.
    """

    #: Parts of the filter smaller than this vanish.
    threshold = 0.001

    def __init__(self, channels: int, norm: str = 'ortho') -> None:
        super().__init__(norm)
        self.w1 = nn.Parameter(0.02 * torch.randn(2, channels, 1))
        self.b1 = nn.Parameter(0.02 * torch.randn(2, channels))
        self.w2 = nn.Parameter(0.02 * torch.randn(2, channels, 1))
        self.b2 = nn.Parameter(0.02 * torch.randn(2, channels))

    @staticmethod
    def _affine(spectrum: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        real = torch.promote_types(weight.dtype, torch.float32)
        weight, bias = weight.to(real), bias.to(real)
        return spectrum * torch.complex(*weight) + torch.complex(*bias)[:, None]

    def filter(self, spectrum: Tensor) -> Tensor:
        """Map the spectrum twice, (B, D, F) to (B, D, F)."""
        hidden = self._affine(spectrum, self.w1, self.b1)
        hidden = torch.complex(hidden.real.relu(), hidden.imag.relu())
        hidden = self._affine(hidden, self.w2, self.b2)
        return torch.complex(
            F.softshrink(hidden.real, self.threshold), F.softshrink(hidden.imag, self.threshold))
