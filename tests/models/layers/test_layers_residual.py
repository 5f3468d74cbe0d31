"""Learned factors and stochastic depth."""
import pytest
import torch

from cltdr_mm.models.layers import ScaledDropPath
from cltdr_mm.structures import Layout


def test_at_inference():
    layout = Layout([4, 2])
    drop = ScaledDropPath(3, 0.9).eval()
    assert torch.allclose(drop.scale, torch.full((1, 3, 1), 1e-4))
    with torch.no_grad():
        drop.scale.copy_(torch.tensor([1.0, 2.0, 3.0])[None, :, None])
    shortcut, branch = torch.randn(2, layout.num_rows, 3)
    expected = shortcut + branch * torch.tensor([1.0, 2.0, 3.0])
    assert torch.allclose(drop(shortcut, branch, layout), expected)


def test_in_training_whole_sequences_are_dropped():
    torch.manual_seed(0)
    layout = Layout([1, 5] * 2000, gap=1)
    drop = ScaledDropPath(2, 0.25, init_scale=0.5)
    shortcut = torch.full((layout.num_rows, 2), 7.0)
    out = drop(shortcut, torch.ones(layout.num_rows, 2), layout)[layout.seen_rows] - 7
    of = layout.sequence[layout.seen_rows]
    firsts = torch.tensor(layout.first)
    whole = drop(shortcut, torch.ones(layout.num_rows, 2), layout) - 7
    # All values of a sequence are equal, either nothing or the expected value kept.
    assert torch.equal(whole[layout.seen_rows], whole[firsts][of])
    assert torch.allclose(out.unique(), torch.tensor([0.0, 0.5 / 0.75]), atol=1e-6)
    assert abs(float(whole[firsts].mean()) - 0.5) < 0.03


def test_without_dropping():
    layout = Layout([3])
    drop = ScaledDropPath(2, 0.0, init_scale=2.0)
    ones = torch.ones(layout.num_rows, 2)
    assert torch.equal(drop(ones, ones, layout), torch.full((layout.num_rows, 2), 3.0))


def test_without_factors():
    drop = ScaledDropPath(2, init_scale=None)
    assert not drop.state_dict()
    layout = Layout([3])
    ones = torch.ones(layout.num_rows, 2)
    assert torch.equal(drop(ones, 4 * ones, layout), 5 * ones)


def test_gradients():
    layout = Layout([2, 1], gap=1)
    drop = ScaledDropPath(3, init_scale=0.7).double()
    shortcut, branch = torch.randn(2, layout.num_rows, 3, dtype=torch.float64)
    assert torch.autograd.gradcheck(
        lambda a, b, _: drop(a, b, layout),
        (shortcut.requires_grad_(True), branch.requires_grad_(True), drop.scale))


@pytest.mark.parametrize('value', [-0.1, 1.0])
def test_drop_prob_out_of_range(value):
    with pytest.raises(ValueError, match='drop_prob'):
        ScaledDropPath(2, value)
