"""The tower of a prediction."""
import pytest
import torch
import torch.nn.functional as F
from batteries import randomise

from cltdr_mm.models.heads.tower import ConvTower, OutputConv
from cltdr_mm.structures import Layout, RowSubset, pack

LENGTHS, CHANNELS = (12, 1, 7), 6


def reference(tower, x, valid):
    """Layer by layer on one video (C, T) whose steps from `valid` on are padding; float64."""
    x, mask = x[None], torch.arange(x.shape[1]) < valid
    for conv, norm in zip(tower.convs, tower.norms):
        weight = conv.conv.weight
        x = F.conv1d(x, weight, padding=weight.shape[-1] // 2) * mask
        x = F.layer_norm(x.transpose(1, 2), (x.shape[1], ), norm.weight.flatten(),
                         norm.bias.flatten(), 1e-5).transpose(1, 2).relu()
    if tower.out is not None:
        conv = tower.out.conv
        x = F.conv1d(x, conv.weight, conv.bias, padding=conv.weight.shape[-1] // 2) * mask
    return x[0]


def make_tower(layers=3, kernel=3, out=5):
    return randomise(ConvTower(CHANNELS, 8, out, layers, kernel)).double()


def make_table(seen=None):
    """Features of LENGTHS, one by one and in a table; padding is not zero."""
    generator = torch.Generator().manual_seed(0)
    sizes = seen or LENGTHS
    videos = [torch.randn(n, CHANNELS, generator=generator, dtype=torch.float64) for n in sizes]
    return videos, pack(videos).rows, Layout(LENGTHS, seen)


@pytest.mark.parametrize('layers, kernel, out', [(3, 3, 5), (1, 3, 5), (2, 5, None), (4, 1, 2),
                                                 (3, 9, 3)])
@pytest.mark.parametrize('seen', [None, (15, 15, 15)])
def test_layers(layers, kernel, out, seen):
    """Padding, where there is any, leaves its norm's bias to the next layer, as published."""
    tower = make_tower(layers, kernel, out)
    assert len(tower.convs) == len(tower.norms) == layers - 1
    videos, rows, layout = make_table(seen)
    got = tower(rows, layout)
    for (block, ), x, valid in zip(layout.blocks(got)if seen is None else
                                   layout.blocks(got)[0][:, None], videos, LENGTHS):
        assert torch.allclose(block, reference(tower, x.t(), valid).t(), rtol=0, atol=1e-10)
        if out is not None:
            assert not block[valid:].any()
    if out is None:
        assert not got[layout.gap_rows].any()


@pytest.mark.parametrize('layers, kernel, out', [(3, 3, 5), (1, 7, 5), (2, 5, None), (4, 1, 2)])
@pytest.mark.parametrize('seen', [None, (15, 15, 15)])
def test_reach(layers, kernel, out, seen):
    """A row depends on the rows within reach and on no others, and needs no others."""
    tower = make_tower(layers, kernel, out)
    _, rows, layout = make_table(seen)
    row = layout.first[0] + 6
    rows.requires_grad_()
    expected = tower(rows, layout)[row]
    grad, = torch.autograd.grad(expected.sum(), rows)
    touched = grad.abs().sum(1).nonzero()[:, 0] - row
    assert touched.min() == -tower.reach and touched.max() == tower.reach
    near = torch.arange(row - tower.reach, row + tower.reach + 1)
    near = near[(near >= 0) & (near < len(rows))]
    got = tower(rows[near], RowSubset(layout, near))[near.tolist().index(row)]
    assert torch.allclose(got, expected, rtol=0, atol=1e-12)
    assert tower.kernel_reach == kernel // 2


def test_prior():
    assert ConvTower(4, 4, 3, prior_prob=0.01).out.conv.bias.tolist() == pytest.approx(
        [-4.59512] * 3)
    assert OutputConv(4, 3, 3).conv.bias.tolist() == [0, 0, 0]


def test_even_kernel():
    with pytest.raises(ValueError, match='kernel_size must be odd, got 4'):
        ConvTower(4, 4, 2, kernel_size=4)
