"""Pooling that does not see padding."""
import pytest
import torch
import torch.nn.functional as F
from batteries import make_inputs

from cltdr_mm.models.layers import masked_max, masked_max_pool1d, masked_mean

LENGTHS = (9, 8, 5, 1)


@pytest.mark.parametrize('extra', [0, 1, 6])
def test_max_pool(extra):
    x, mask = make_inputs(LENGTHS, 3, 9 + extra, garbage=True)
    x = x - 10 * mask[:, None]  # all valid values negative: a zero would win
    out = masked_max_pool1d(x, mask)
    assert out.shape[-1] == -(-x.shape[-1] // 2)
    for row, length in enumerate(LENGTHS):
        expected = F.max_pool1d(x[row, :, :length], 3, 2, 1)
        assert torch.equal(out[row, :, :expected.shape[-1]], expected)
        assert (out[row, :, expected.shape[-1]:] == 0).all()


def test_max_pool_gradient_stays_inside():
    x, mask = make_inputs(LENGTHS, 3, 12)
    x = (x - 10 * mask[:, None]).requires_grad_(True)
    masked_max_pool1d(x, mask).sum().backward()
    assert torch.isfinite(x.grad).all()
    assert (x.grad.masked_select(~mask[:, None]) == 0).all()
    assert x.grad.sum() == 3 * sum(-(-length // 2) for length in LENGTHS)


@pytest.mark.parametrize(('ours', 'theirs'), [
    (masked_mean, lambda x: x.mean(dim=-1)),
    (masked_max, lambda x: x.amax(dim=-1)),
])
def test_reductions(ours, theirs):
    x, mask = make_inputs(LENGTHS, 3, 11, garbage=True)
    x = x - 10 * mask[:, None]
    out = ours(x, mask)
    assert out.shape == (4, 3, 1)
    for row, length in enumerate(LENGTHS):
        assert torch.allclose(out[row, :, 0], theirs(x[row, :, :length]), atol=1e-5)
    mask[1] = False
    assert (ours(x, mask)[1] == 0).all()


def test_mean_of_half_precision_counts_every_step():
    x = torch.ones(1, 1, 3001, dtype=torch.bfloat16)
    mask = torch.ones(1, 3001, dtype=torch.bool)
    assert abs(float(masked_mean(x, mask)) - 1) < 0.01
