"""Mixers in the frequency domain: their gradients, and what they refuse."""
import pytest
import torch
from batteries import make_videos, randomise

from cltdr_mm.models.backbones.fourier_mixers import AFNO, FNet, GFNet
from cltdr_mm.models.backbones.spectral import AffineFilter, ConvFilter
from cltdr_mm.structures import pack

MIXERS = dict(
    conv=lambda **kw: ConvFilter(4, **kw), affine=lambda **kw: AffineFilter(4, **kw),
    fnet=lambda **kw: FNet(**kw), gfnet=lambda **kw: GFNet(4, 6, **kw),
    afno=lambda **kw: AFNO(4, 2, **kw))


@pytest.mark.parametrize('steps', [1, 2, 3, 4, 7, 8])
@pytest.mark.parametrize('norm', ['backward', 'ortho'])
@pytest.mark.parametrize('make', MIXERS.values(), ids=MIXERS)
def test_gradients(make, norm, steps):
    """The transform brings a backward of its own: against differences of values."""
    mixer = randomise(make(norm=norm)).double()
    videos = make_videos((steps, steps, 5), 4, dtype=torch.float64)
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
        weighted = spectrum * mixer.filter()(spectrum, len(video))
        expected = torch.fft.irfft(weighted, n=len(video), norm=norm)
        assert torch.allclose(out[first:first + len(video)].t(), expected[0], atol=1e-12)
    assert (out[packed.layout.gap_rows] == 0).all()


@pytest.mark.parametrize('make', MIXERS.values(), ids=MIXERS)
def test_half_precision_is_transformed_in_float32(make):
    mixer = randomise(make())
    packed = pack(make_videos((300, ), 4))
    rows = packed.rows.bfloat16()
    expected = mixer(rows.float(), packed.layout)
    assert torch.equal(mixer(rows, packed.layout), expected.bfloat16())
    with torch.autocast('cpu', dtype=torch.bfloat16):
        assert torch.equal(mixer(rows.float(), packed.layout), expected)


@pytest.mark.parametrize('make', MIXERS.values(), ids=MIXERS)
def test_weights_of_half_precision(make):
    """Are computed with in float32: the weights' rounding is the only difference."""
    mixer = randomise(make()).half()
    packed = pack(make_videos((21, 30), 4))
    expected = mixer.float()(packed.rows, packed.layout)
    found = mixer.half()(packed.rows.half(), packed.layout)
    assert found.dtype == torch.float16
    assert torch.allclose(found.float(), expected, atol=2e-3 * expected.abs().amax().item())


def test_unknown_norm():
    with pytest.raises(ValueError, match="fft_norm must be 'backward' or 'ortho', got 'forward'"):
        AffineFilter(4, norm='forward')


def test_a_filter_is_the_same_at_every_length():
    """What it does to a wave depends on the wave, not on how long the sequence is."""
    mixer = randomise(GFNet(1, 9)).double()
    real, imag = mixer.weight[0, 3].detach()  # of 3 / 8 of half a turn a step
    for steps in (16, 32, 48, 80):
        angle = torch.arange(steps, dtype=torch.float64) * (torch.pi * 3 / 8)
        packed = pack([angle.cos()[:, None]])
        found = mixer(packed.rows, packed.layout)[packed.layout.valid_rows, 0]
        assert torch.allclose(found, real * angle.cos() - imag * angle.sin(), atol=1e-12)


def test_blocks_do_not_see_each_other():
    mixer = randomise(AFNO(6, 3)).double()
    packed = pack(make_videos((11, ), 6, dtype=torch.float64))
    rows = packed.rows.clone()
    rows[packed.layout.valid_rows, 2] += torch.randn(11, dtype=torch.float64)
    change = (mixer(rows, packed.layout) - mixer(packed.rows, packed.layout)).abs().amax(0)
    assert (change > 1e-3).tolist() == [False, False, True, True, False, False]


def test_bad_sizes():
    with pytest.raises(ValueError, match='num_frequencies must be at least 2, got 1'):
        GFNet(4, 1)
    with pytest.raises(ValueError, match='6 channels cannot be split into 4 blocks'):
        AFNO(6, 4)
