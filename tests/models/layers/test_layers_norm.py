"""Norms against PyTorch's on the valid part."""
import pytest
import torch
import torch.nn.functional as F
from batteries import make_inputs, randomise
from torch import nn

from cltdr_mm.models.layers import ChannelLayerNorm, MaskedGroupNorm


@pytest.mark.parametrize('dtype', [torch.float64, torch.float32])
def test_channel_layer_norm(dtype):
    norm = randomise(ChannelLayerNorm(6)).to(dtype)
    assert norm.weight.shape == norm.bias.shape == (1, 6, 1)
    x = torch.randn(3, 6, 7, dtype=dtype) * 3 + 1
    expected = F.layer_norm(x.transpose(1, 2), (6, ), norm.weight[0, :, 0], norm.bias[0, :, 0])
    assert torch.allclose(norm(x), expected.transpose(1, 2), atol=1e-5)
    # A step of padding becomes the bias.
    assert torch.allclose(norm(torch.zeros(1, 6, 2, dtype=dtype)), norm.bias.expand(1, 6, 2))


def test_channel_layer_norm_of_half_precision():
    norm = randomise(ChannelLayerNorm(6))
    # Far from zero: a variance taken in half precision would be noise.
    x = torch.randn(2, 6, 5) + 30
    assert norm(x.bfloat16()).dtype == torch.float32
    assert torch.allclose(norm(x.bfloat16()), norm(x.bfloat16().float()))
    assert norm.bfloat16()(x.bfloat16()).dtype == torch.bfloat16


@pytest.mark.parametrize('affine', [True, False])
def test_masked_group_norm(affine):
    masked = randomise(MaskedGroupNorm(4, 8, affine=affine)).double()
    plain = nn.GroupNorm(4, 8, affine=affine).double()
    plain.load_state_dict(masked.state_dict())
    lengths = (9, 4, 1)
    x, mask = make_inputs(lengths, 8, steps=11, garbage=True, dtype=torch.float64)
    out = masked(x, mask)
    for row, length in enumerate(lengths):
        expected = plain(x[row:row + 1, :, :length])[0]
        assert torch.allclose(out[row, :, :length], expected, atol=1e-12)
        assert (out[row, :, length:] == 0).all()
    assert (plain(x) - out).abs().max() > 0.1


def test_masked_group_norm_of_an_empty_row():
    x, mask = make_inputs((3, 3), 4)
    mask[1] = False
    x.requires_grad_(True)
    out = MaskedGroupNorm(2, 4)(x, mask)
    assert (out[1] == 0).all()
    out.square().sum().backward()
    assert torch.isfinite(x.grad).all()


def test_groups_must_divide_channels():
    with pytest.raises(ValueError, match='6 channels do not split into 4 groups'):
        MaskedGroupNorm(4, 6)
