"""The tower of a prediction."""
import pytest
import torch
import torch.nn.functional as F
from batteries import randomise

from cltdr_mm.models.heads.tower import ConvTower, output_conv


def reference(tower, x, mask, unmasked):
    """Layer by layer on one video, float64."""
    for conv, norm in zip(tower.convs, tower.norms):
        weight = conv.conv.weight
        x = F.conv1d(x, weight, padding=weight.shape[-1] // 2) * mask[:, None]
        x = F.layer_norm(x.transpose(1, 2), (x.shape[1], ), norm.weight.flatten(),
                         norm.bias.flatten(), 1e-5).transpose(1, 2).relu()
        if not unmasked:
            x = x * mask[:, None]
    if tower.out is not None:
        conv = tower.out.conv
        x = F.conv1d(x, conv.weight, conv.bias, padding=conv.weight.shape[-1] // 2)
        x = x * mask[:, None]
    return x


@pytest.mark.parametrize('layers, kernel, out', [(3, 3, 5), (1, 3, 5), (2, 5, None), (4, 1, 2)])
@pytest.mark.parametrize('unmasked', [False, True])
def test_layers(layers, kernel, out, unmasked):
    tower = randomise(ConvTower(6, 8, out, layers, kernel, unmasked_activations=unmasked)).double()
    assert len(tower.convs) == len(tower.norms) == layers - 1
    mask = torch.arange(12) < torch.tensor([[12], [7]])
    x = torch.randn(2, 6, 12, dtype=torch.float64) * mask[:, None]
    expected = reference(tower, x, mask.double(), unmasked)
    assert torch.allclose(tower(x, mask), expected, rtol=0, atol=1e-10)
    if out is not None:
        assert not tower(x, mask)[1, :, 7:].any()


def test_prior():
    assert ConvTower(4, 4, 3, prior_prob=0.01).out.conv.bias.tolist() == pytest.approx(
        [-4.59512] * 3)
    assert output_conv(4, 3, 3).conv.bias.tolist() == [0, 0, 0]


def test_even_kernel():
    with pytest.raises(ValueError, match='kernel_size must be odd, got 4'):
        ConvTower(4, 4, 2, kernel_size=4)
