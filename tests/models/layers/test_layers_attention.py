"""Attention against a softmax over all pairs."""
import math

import pytest
import torch
import torch.nn.functional as F
from batteries import make_videos, randomise

from cltdr_mm.models.layers import LocalSelfAttention, local_attention
from cltdr_mm.structures import pack

LENGTHS = (75, 33, 20, 20, 1)


def all_pairs(module, x):
    """Dense scores of one sequence (T, C)."""
    def project(conv, y):
        return y @ conv.weight[:, :, 0].t() + conv.bias

    query, key, value = (
        project(conv, x).unflatten(1, (module.num_heads, -1)).transpose(0, 1)
        for conv in (module.query, module.key, module.value))  # (H, T, d)
    scores = query @ key.transpose(1, 2) / math.sqrt(query.shape[-1])
    if module.window > 1:
        step = torch.arange(len(x))
        far = (step[:, None] - step).abs() > module.window // 2
        scores = scores.masked_fill(far, -math.inf)
    out = (scores.softmax(dim=-1) @ value).transpose(0, 1).flatten(1)
    return project(module.proj, out)


@pytest.mark.parametrize('seen', [None, (75, 40, 40, 40, 3)])
@pytest.mark.parametrize('window', [-1, 0, 1, 2, 3, 8, 9, 19, 41, 200])
@pytest.mark.parametrize('heads', [1, 4])
def test_window(window, heads, seen):
    """Padding that is seen is not attended to, and gets nothing."""
    module = randomise(LocalSelfAttention(8, heads, window)).double()
    videos = make_videos(LENGTHS, 8, dtype=torch.float64)
    packed = pack(videos, seen)
    layout = packed.layout
    rows = packed.rows + ~layout.valid[:, None] * 100.0  # which must not matter
    out = module(rows, layout)
    for first, video in zip(layout.first, videos):
        expected = all_pairs(module, video)
        assert torch.allclose(out[first:first + len(video)], expected, atol=1e-10)
    if seen:
        assert (out[layout.padding_rows] == 0).all()


def test_windows_differ():
    packed = pack(make_videos(LENGTHS, 8))
    outs = [randomise(LocalSelfAttention(8, 2, window))(packed.rows, packed.layout)
            for window in (-1, 3, 5)]
    assert (outs[0] - outs[1]).abs().max() > 0.01 < (outs[1] - outs[2]).abs().max()


@pytest.mark.parametrize('window', [-1, 5])
def test_gradients(window):
    module = randomise(LocalSelfAttention(8, 2, window)).double()
    videos = make_videos(LENGTHS, 8, dtype=torch.float64)
    packed = pack(videos)
    rows = packed.rows.requires_grad_(True)
    out = module(rows, packed.layout)
    weights = make_videos((len(rows), ), 8, seed=2, dtype=torch.float64)[0]
    seen = packed.layout.seen_rows
    (out * weights)[seen].sum().backward()
    got = {name: param.grad.clone() for name, param in module.named_parameters()}
    module.zero_grad()
    for first, video in zip(packed.layout.first, videos):
        video.requires_grad_(True)
        (all_pairs(module, video) * weights[first:first + len(video)]).sum().backward()
        assert torch.allclose(rows.grad[first:first + len(video)], video.grad, atol=1e-10)
    assert (rows.grad[packed.layout.gap_rows] == 0).all()
    for name, param in module.named_parameters():
        assert torch.allclose(got[name], param.grad, atol=1e-9), name
        # Adding one number to all scores of a query changes nothing.
        assert name == 'key.bias' or param.grad.abs().max() > 1e-3, name


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
        local_attention(x, x, x, window=19)
    assert pairs[1] < 11 * pairs[0]
    assert pairs[0] < 2 * 1000 * 64


def test_equal_lengths_are_attended_to_at_once(monkeypatch):
    calls, attend = [], F.scaled_dot_product_attention

    def note(query, *args, **kwargs):
        calls.append(query.shape)
        return attend(query, *args, **kwargs)

    monkeypatch.setattr(F, 'scaled_dot_product_attention', note)
    packed = pack(make_videos((20, 20, 20), 8))
    LocalSelfAttention(8, 2, window=-1)(packed.rows, packed.layout)
    assert calls == [(3, 2, 20, 4)]


@pytest.mark.parametrize('window', [-1, 5])
def test_dropout_acts_in_training_only(window):
    module = randomise(LocalSelfAttention(8, 2, window, dropout=0.5))
    packed = pack(make_videos(LENGTHS, 8))
    assert not torch.equal(module(packed.rows, packed.layout), module(packed.rows, packed.layout))
    module.eval()
    assert torch.equal(module(packed.rows, packed.layout), module(packed.rows, packed.layout))


@pytest.mark.parametrize('window', [-1, 5])
def test_attention_weights_have_a_dropout_of_their_own(window):
    """Without one, an output value is dropped or doubled; with one alone, none is dropped."""
    packed = pack(make_videos(LENGTHS, 8))
    rows = packed.layout.valid_rows
    outputs, weights = (randomise(LocalSelfAttention(8, 2, window, *rates))
                        for rates in ((0.5, 0.), (0., 0.5)))
    for module in (outputs, weights):
        plain = module.eval()(packed.rows, packed.layout)[rows]
        found = module.train()(packed.rows, packed.layout)[rows]
        dropped = found == 0
        if module is outputs:
            assert dropped.any()
            torch.testing.assert_close(found[~dropped], 2 * plain[~dropped])
        else:
            assert not dropped.any() and not torch.allclose(found, plain)


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
    packed = pack(make_videos((75, ), 8))
    LocalSelfAttention(8, 2, window=-1)(packed.rows, packed.layout)
    assert strides == [1, 1, 1]
