"""The Fourier transform of real sequences as matrix products, for graphs that are exported.

ONNX runtimes have no real transform of any length. Its definition is a product with cosines and
sines, which are plain operators; work and memory grow by T * F, where an FFT needs T log T.

Names: T steps, F = T // 2 + 1 frequencies.
"""
import math
from typing import Union

import torch
from torch import Tensor


class RealDFT:
    """``torch.fft.rfft`` and ``irfft`` of one length as matrix products.

    The angle of step t at frequency k is a turn times ``t * k mod T / T``. The remainder is taken
    in integers, so that no digits are lost where t * k is large.

    Args:
        steps (int | Tensor): Steps T; a scalar tensor in a graph that leaves them open.
        norm (str): As in ``torch.fft``: 'backward' or 'ortho'.
        like (Tensor): Has type and device of the sequences.
        one_sided (bool): Whether to leave out the frequencies above T // 2, which follow from the
            others; False is ``torch.fft.fft``, without an inverse here. Defaults to True.
    """

    def __init__(self, steps: Union[int, Tensor], norm: str, like: Tensor,
                 one_sided: bool = True) -> None:
        time = torch.arange(steps, device=like.device)
        frequency = torch.arange(steps // 2 + 1, device=like.device) if one_sided else time
        angle = (time[:, None] * frequency % steps).to(like.dtype) * (2 * math.pi) / steps
        self.cos, self.sin = angle.cos(), angle.sin()  # (T, F)
        # frequencies between the first and the last of an even length stand for two
        single = (frequency == 0) | (2 * frequency == steps)
        self.count = torch.where(single, 1., 2.).to(like.dtype)  # (F,)
        size = torch.ones_like(self.count[:1]) * steps  # (1,) of the sequences' type
        self.scale = size.rsqrt() if norm == 'ortho' else torch.ones_like(size)
        self.inverse_scale = size.rsqrt() if norm == 'ortho' else size.reciprocal()

    def forward(self, y: Tensor) -> Tensor:
        """Spectrum of (..., T) real: (..., F, 2), real and imaginary parts."""
        return torch.stack([y @ self.cos, -(y @ self.sin)], dim=-1) * self.scale

    def inverse(self, spectrum: Tensor) -> Tensor:
        """Sequence (..., T) of a spectrum (..., F, 2)."""
        real, imag = spectrum.unbind(-1)
        real, imag = real * self.count, imag * self.count
        return (real @ self.cos.t() - imag @ self.sin.t()) * self.inverse_scale


def complex_product(first: Tensor, second: Tensor) -> Tensor:
    """Product of complex numbers as (..., 2) real and imaginary parts, which broadcast."""
    (a, b), (c, d) = first.unbind(-1), second.unbind(-1)
    return torch.stack([a * c - b * d, a * d + b * c], dim=-1)
