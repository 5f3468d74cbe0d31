"""Masked and depth-wise convolutions."""
import pytest
import torch
from batteries import make_inputs, randomise
from torch import nn

from cltdr_mm.models.layers import DepthwiseScale, MaskedConv1d, depthwise_conv


@pytest.mark.parametrize('steps', [1, 2, 7, 8])
@pytest.mark.parametrize('stride', [1, 2, 4])
@pytest.mark.parametrize('kernel', [1, 3, 7])
def test_masked_conv(kernel, stride, steps):
    conv = randomise(MaskedConv1d(4, 6, kernel, stride, groups=2)).double()
    assert set(conv.state_dict()) == {'conv.weight', 'conv.bias'}
    lengths = [steps, max(steps - 3, 1), 1]
    x, mask = make_inputs(lengths, 4, steps + 5, dtype=torch.float64)
    out, out_mask = conv(x, mask)
    assert torch.equal(out_mask, mask[:, ::stride])
    for row, length in enumerate(lengths):
        expected = conv.conv(x[row:row + 1, :, :length])[0]
        assert expected.shape[-1] == -(-length // stride) == out_mask[row].sum()
        assert torch.allclose(out[row, :, :expected.shape[-1]], expected, atol=1e-12)
        assert (out[row, :, expected.shape[-1]:] == 0).all()


def test_masked_conv_starts_without_bias():
    assert (MaskedConv1d(3, 4, 3).conv.bias == 0).all()
    assert set(MaskedConv1d(3, 4, 3, bias=False).state_dict()) == {'conv.weight'}


@pytest.mark.parametrize('make', [lambda k: MaskedConv1d(2, 2, k), lambda k: depthwise_conv(2, k)])
def test_even_kernel(make):
    with pytest.raises(ValueError, match='kernel_size must be odd, got 4'):
        make(4)


@pytest.mark.parametrize('kernel', [1, 3, 5])
def test_depthwise_conv_is_a_grouped_convolution(kernel):
    conv = nn.Conv1d(6, 6, kernel, padding=kernel // 2, groups=6)
    ours = depthwise_conv(6, kernel)
    assert (ours.bias == 0).all()
    ours.load_state_dict(conv.state_dict())
    x = torch.randn(2, 6, 9, requires_grad=True)
    y = x.detach().clone().requires_grad_(True)
    weights = torch.randn(2, 6, 9)
    (conv(x) * weights).sum().backward()
    (ours(y) * weights).sum().backward()
    assert torch.allclose(conv(x), ours(y), atol=1e-6)
    assert torch.allclose(x.grad, y.grad, atol=1e-6)
    assert torch.allclose(conv.weight.grad, ours.weight.grad, atol=1e-5)
    assert torch.allclose(conv.bias.grad, ours.bias.grad, atol=1e-5)


def test_depthwise_scale_starts_as_a_convolution_does():
    torch.manual_seed(0)
    weight = DepthwiseScale(4000).weight
    assert weight.abs().max() <= 1
    assert abs(float(weight.std()) - 3**-0.5) < 0.02
