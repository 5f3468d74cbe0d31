"""Learned factors and stochastic depth."""
import pytest
import torch

from cltdr_mm.models.layers import Scale, ScaledDropPath


def test_scale():
    scale = Scale(2.5)
    assert scale.scale.shape == ()
    assert torch.equal(scale(torch.ones(2, 3)), torch.full((2, 3), 2.5))


def test_drop_path_at_inference():
    drop = ScaledDropPath(3, 0.9).eval()
    assert torch.allclose(drop.scale, torch.full((1, 3, 1), 1e-4))
    with torch.no_grad():
        drop.scale.copy_(torch.tensor([1.0, 2.0, 3.0])[None, :, None])
    x = torch.randn(2, 3, 4)
    assert torch.equal(drop(x), x * torch.tensor([1.0, 2.0, 3.0])[:, None])


def test_drop_path_in_training():
    torch.manual_seed(0)
    drop = ScaledDropPath(2, 0.25, init_scale=0.5)
    out = drop(torch.ones(4000, 2, 3))
    # Whole samples: all values of one are equal, either nothing or the expected value kept.
    assert (out.amax(dim=(1, 2)) == out.amin(dim=(1, 2))).all()
    values = out[:, 0, 0].unique()
    assert torch.allclose(values, torch.tensor([0.0, 0.5 / 0.75]))
    assert abs(float(out.mean()) - 0.5) < 0.02


def test_drop_path_without_dropping():
    drop = ScaledDropPath(2, 0.0, init_scale=2.0)
    assert torch.equal(drop(torch.ones(3, 2, 1)), torch.full((3, 2, 1), 2.0))


@pytest.mark.parametrize('value', [-0.1, 1.0])
def test_drop_prob_out_of_range(value):
    with pytest.raises(ValueError, match='drop_prob'):
        ScaledDropPath(2, value)
