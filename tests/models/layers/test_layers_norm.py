"""Norms against PyTorch's, sequence by sequence."""
import pytest
import torch
import torch.nn.functional as F
from batteries import make_videos, randomise
from torch import nn

from cltdr_mm.models.layers import ChannelLayerNorm, GroupNorm
from cltdr_mm.structures import pack, unpack


@pytest.mark.parametrize('dtype', [torch.float64, torch.float32])
def test_channel_layer_norm(dtype):
    norm = randomise(ChannelLayerNorm(6)).to(dtype)
    assert norm.weight.shape == norm.bias.shape == (1, 6, 1)
    packed = pack([3 * video + 1 for video in make_videos((7, 3), 6, dtype=dtype)], [7, 5])
    out = norm(packed.rows, packed.layout)
    expected = F.layer_norm(packed.rows, (6, ), norm.weight[0, :, 0], norm.bias[0, :, 0])
    seen = packed.layout.seen_rows
    assert torch.allclose(out[seen], expected[seen], atol=1e-5)
    # A row of padding becomes the bias, a gap nothing.
    assert torch.allclose(out[packed.layout.padding_rows], norm.bias.flatten().expand(2, 6))
    assert (out[packed.layout.gap_rows] == 0).all()


def test_channel_layer_norm_of_half_precision():
    norm = randomise(ChannelLayerNorm(6))
    # Far from zero: a variance taken in half precision would be noise.
    packed = pack([video + 30 for video in make_videos((5, 9), 6)])
    half = packed.rows.bfloat16()
    out = norm(half, packed.layout)
    assert out.dtype == torch.bfloat16
    assert torch.allclose(out.float(), norm(half.float(), packed.layout), atol=0.02, rtol=0.01)
    assert norm.bfloat16()(half, packed.layout).dtype == torch.bfloat16


def test_channel_layer_norm_gradients():
    """Zeroing gaps in place does not disturb the norm's backward."""
    norm = randomise(ChannelLayerNorm(3)).double()
    packed = pack(make_videos((4, 2), 3, dtype=torch.float64), gap=1)
    rows = torch.randn_like(packed.rows).requires_grad_(True)
    assert torch.autograd.gradcheck(
        lambda x, *_: norm(x, packed.layout), (rows, norm.weight, norm.bias))


@pytest.mark.parametrize('affine', [True, False])
@pytest.mark.parametrize('lengths', [(9, 4, 4, 1), (6, 6, 6), (5, )])
def test_group_norm(lengths, affine):
    norm = randomise(GroupNorm(4, 8, affine=affine)).double()
    plain = nn.GroupNorm(4, 8, affine=affine).double()
    plain.load_state_dict(norm.state_dict())
    videos = [3 * video + 5 for video in make_videos(lengths, 8, dtype=torch.float64)]
    packed = pack(videos)
    out = norm(packed.rows, packed.layout)
    for first, video in zip(packed.layout.first, videos):
        expected = plain(video.t()[None])[0].t()
        assert torch.allclose(out[first:first + len(video)], expected, atol=1e-12)
    assert (out[packed.layout.gap_rows] == 0).all()


def test_group_norm_over_padding_that_is_seen():
    norm = randomise(GroupNorm(4, 8)).double()
    packed = pack(make_videos((9, 4), 8, dtype=torch.float64), [9, 9])
    x, _ = unpack(packed)
    expected = F.group_norm(x, 4, norm.weight, norm.bias)
    got = [norm(packed.rows, packed.layout)[first:first + 9].t() for first in packed.layout.first]
    assert torch.allclose(torch.stack(got), expected, atol=1e-12)


def test_group_norm_of_half_precision():
    norm = randomise(GroupNorm(4, 8))
    packed = pack([video + 30 for video in make_videos((300, 2), 8)])
    half = packed.rows.bfloat16()
    out = norm(half, packed.layout)
    assert out.dtype == torch.bfloat16
    assert torch.allclose(out.float(), norm(half.float(), packed.layout), atol=0.02, rtol=0.01)


def test_group_norm_gradients():
    norm = randomise(GroupNorm(2, 4)).double()
    packed = pack(make_videos((4, 4, 2), 4, dtype=torch.float64), gap=1)
    rows = packed.rows.requires_grad_(True)
    assert torch.autograd.gradcheck(
        lambda x, *_: norm(x, packed.layout), (rows, norm.weight, norm.bias), atol=1e-5)


def test_groups_must_divide_channels():
    with pytest.raises(ValueError, match='6 channels do not split into 4 groups'):
        GroupNorm(4, 6)
