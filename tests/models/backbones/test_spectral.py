"""Filters in the frequency domain: their gradients, and what they refuse."""
import pytest
import torch
from batteries import make_videos, randomise

from cltdr_mm.models.backbones.spectral import AffineFilter, ConvFilter
from cltdr_mm.structures import pack


@pytest.mark.parametrize('steps', [1, 2, 3, 4, 7, 8])
@pytest.mark.parametrize('norm', ['backward', 'ortho'])
@pytest.mark.parametrize('make', [ConvFilter, AffineFilter])
def test_gradients(make, norm, steps):
    """The transform brings a backward of its own: against differences of values."""
    mixer = randomise(make(3, norm=norm)).double()
    videos = make_videos((steps, steps, 5), 3, dtype=torch.float64)
    packed = pack(videos)
    rows = packed.rows.requires_grad_(True)
    assert torch.autograd.gradcheck(
        lambda x, *_: mixer(x, packed.layout), (rows, *mixer.parameters()), atol=1e-5)


@pytest.mark.parametrize('norm', ['backward', 'ortho'])
@pytest.mark.parametrize('make', [ConvFilter, AffineFilter])
def test_formula(make, norm):
    """Of every sequence ``irfft(rfft(y) * W)``, W made from ``rfft(y)``."""
    mixer = randomise(make(4, norm=norm)).double()
    videos = make_videos((9, 6, 6, 1), 4, dtype=torch.float64)
    packed = pack(videos)
    out = mixer(packed.rows, packed.layout)
    for first, video in zip(packed.layout.first, videos):
        spectrum = torch.fft.rfft(video.t()[None], norm=norm)
        expected = torch.fft.irfft(spectrum * mixer.filter()(spectrum), n=len(video), norm=norm)
        assert torch.allclose(out[first:first + len(video)].t(), expected[0], atol=1e-12)
    assert (out[packed.layout.gap_rows] == 0).all()


def test_half_precision_is_transformed_in_float32():
    mixer = randomise(ConvFilter(4))
    packed = pack(make_videos((300, ), 4))
    rows = packed.rows.bfloat16()
    expected = mixer(rows.float(), packed.layout)
    assert torch.equal(mixer(rows, packed.layout), expected.bfloat16())
    with torch.autocast('cpu', dtype=torch.bfloat16):
        assert torch.equal(mixer(rows.float(), packed.layout), expected)


def test_unknown_norm():
    with pytest.raises(ValueError, match="fft_norm must be 'backward' or 'ortho', got 'forward'"):
        AffineFilter(4, norm='forward')
