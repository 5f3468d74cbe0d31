"""Attention against a softmax over all pairs."""
import math

import pytest
import torch
import torch.nn.functional as F
from batteries import make_inputs, randomise

from cltdr_mm.models.layers import LocalSelfAttention, local_attention

LENGTHS = (75, 33, 20, 1)


def all_pairs(module, x, mask):
    """Dense scores with masks, (B, H, T, T)."""
    query, key, value = (
        conv(x).unflatten(1, (module.num_heads, -1)).transpose(2, 3)
        for conv in (module.query, module.key, module.value))
    scores = query @ key.transpose(2, 3) / math.sqrt(query.shape[-1])
    step = torch.arange(x.shape[-1])
    allowed = mask[:, None, None, :].clone()
    if module.window > 1:
        allowed = allowed & ((step[:, None] - step).abs() <= module.window // 2)
    weights = scores.masked_fill(~allowed, -math.inf).softmax(dim=-1)
    # A query without keys is padding: its value does not matter.
    out = (torch.nan_to_num(weights) @ value).transpose(2, 3).flatten(1, 2)
    return module.proj(out) * mask[:, None]


@pytest.mark.parametrize('window', [-1, 0, 1, 2, 3, 8, 9, 19, 41, 200])
@pytest.mark.parametrize('heads', [1, 4])
def test_window(window, heads):
    module = randomise(LocalSelfAttention(8, heads, window)).double()
    x, mask = make_inputs(LENGTHS, 8, 80, dtype=torch.float64)
    out = module(x, mask)
    assert torch.allclose(out, all_pairs(module, x, mask), atol=1e-10)
    assert (out.masked_select(~mask[:, None]) == 0).all()


def test_windows_differ():
    x, mask = make_inputs(LENGTHS, 8)
    outs = [randomise(LocalSelfAttention(8, 2, window))(x, mask) for window in (-1, 3, 5)]
    assert (outs[0] - outs[1]).abs().max() > 0.01 < (outs[1] - outs[2]).abs().max()


@pytest.mark.parametrize('window', [-1, 5])
def test_gradients(window):
    module = randomise(LocalSelfAttention(8, 2, window))
    x, mask = make_inputs(LENGTHS, 8, 80)
    mask[3] = False  # not one key
    x.requires_grad_(True)
    module(x, mask).square().sum().backward()
    assert torch.isfinite(x.grad).all()
    assert (x.grad[3] == 0).all()
    for name, param in module.named_parameters():
        assert torch.isfinite(param.grad).all(), name
        # Adding one number to all scores of a query changes nothing.
        assert name == 'key.bias' or param.grad.abs().max() > 0, name


def test_memory_grows_linearly(monkeypatch):
    """No score matrix over all pairs is ever asked for."""
    pairs = []
    attend = torch.nn.functional.scaled_dot_product_attention

    def counting(query, key, value, **kwargs):
        pairs.append(query.shape[:-1].numel() * key.shape[-2])
        return attend(query, key, value, **kwargs)

    monkeypatch.setattr(torch.nn.functional, 'scaled_dot_product_attention', counting)
    for steps in (1000, 10000):
        x = torch.randn(1, 2, steps, 4)
        local_attention(x, x, x, torch.ones(1, steps, dtype=torch.bool), window=19)
    assert pairs[1] < 11 * pairs[0]
    assert pairs[0] < 2 * 1000 * 64


def test_dropout_acts_in_training_only():
    module = randomise(LocalSelfAttention(8, 2, 5, dropout=0.5))
    x, mask = make_inputs(LENGTHS, 8)
    assert not torch.equal(module(x, mask), module(x, mask))
    module.eval()
    assert torch.equal(module(x, mask), module(x, mask))


def test_heads_must_divide_channels():
    with pytest.raises(ValueError, match='6 channels do not split into 4 heads'):
        LocalSelfAttention(6, 4)


def test_global_attention_takes_a_fused_kernel(monkeypatch):
    """All of them want the width contiguous; else memory grows with the square of the length."""
    strides, attend = [], F.scaled_dot_product_attention

    def note(*tensors, **kwargs):
        strides.extend(tensor.stride(-1) for tensor in tensors)
        return attend(*tensors, **kwargs)

    monkeypatch.setattr(F, 'scaled_dot_product_attention', note)
    x, mask = make_inputs(LENGTHS, 8)
    LocalSelfAttention(8, 2, window=-1)(x, mask)
    assert strides == [1, 1, 1]
