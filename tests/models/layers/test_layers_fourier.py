"""The Fourier transform as a product, against torch.fft."""
import pytest
import torch

from cltdr_mm.models.layers import RealDFT, complex_product

LENGTHS = [1, 2, 3, 4, 5, 8, 31, 64, 97, 250, 1001, 2304]
TOLERANCES = {torch.float32: 2e-5, torch.float64: 1e-12}


@pytest.mark.parametrize('norm', ['backward', 'ortho'])
@pytest.mark.parametrize('dtype', TOLERANCES)
@pytest.mark.parametrize('steps', LENGTHS)
def test_transform_and_back(steps, dtype, norm):
    y = torch.randn(2, 3, steps, dtype=dtype, generator=torch.Generator().manual_seed(steps))
    dft = RealDFT(steps, norm, y)
    expected = torch.fft.rfft(y, norm=norm)
    spectrum = dft.forward(y)
    assert spectrum.shape == (2, 3, steps // 2 + 1, 2) and spectrum.dtype == dtype
    error = (torch.view_as_complex(spectrum) - expected).abs().max() / expected.abs().max()
    assert error < TOLERANCES[dtype]
    assert (dft.inverse(spectrum) - y).abs().max() < TOLERANCES[dtype] * y.abs().max()


@pytest.mark.parametrize('norm', ['backward', 'ortho'])
@pytest.mark.parametrize('dtype', TOLERANCES)
@pytest.mark.parametrize('steps', LENGTHS)
def test_both_sides(steps, dtype, norm):
    """Also the frequencies above half a turn a step."""
    y = torch.randn(2, 3, steps, dtype=dtype, generator=torch.Generator().manual_seed(steps))
    found = torch.view_as_complex(RealDFT(steps, norm, y, one_sided=False).forward(y))
    expected = torch.fft.fft(y, norm=norm)
    assert (found - expected).abs().max() / expected.abs().max() < TOLERANCES[dtype]


@pytest.mark.parametrize('steps', [1, 2, 7, 8])
def test_inverse_of_any_spectrum(steps):
    """The first frequency, and the last of an even length, have no imaginary part to give."""
    g = torch.Generator().manual_seed(steps)
    spectrum = torch.randn(3, steps // 2 + 1, 2, dtype=torch.float64, generator=g)
    expected = torch.fft.irfft(torch.view_as_complex(spectrum), n=steps)
    assert torch.allclose(RealDFT(steps, 'backward', spectrum).inverse(spectrum), expected,
                          atol=1e-12)


def test_complex_product():
    first, second = torch.randn(4, 3, 2), torch.randn(4, 1, 2)
    expected = torch.view_as_complex(first) * torch.view_as_complex(second)
    assert torch.allclose(torch.view_as_complex(complex_product(first, second)), expected)
