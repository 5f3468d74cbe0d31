"""The battery fails on what it is there to catch: each leak the published code has."""
import pytest
import torch
import torch.nn.functional as F
from batteries import check_gradients, check_invariance, check_shapes, randomise
from mmaction.registry import MODELS
from torch import nn

from cltdr_mm.models.backbones import block, pyramid, sgp, spectral, transformer

LENGTHS = (37, 1, 18, 5, 40)


def build(name):
    return randomise(MODELS.build(
        dict(type=name, in_channels=6, embed_dims=32, arch=(2, 1, 3), drop_path=0.0)))


def no_mask(x, mask):
    return x


def plain_pool(x, mask, kernel_size=3, stride=2, padding=1):
    return F.max_pool1d(x, kernel_size, stride, padding)


def over_padding(self, y, lengths=None):
    return self.transform(y)


class PlainGroupNorm(nn.GroupNorm):

    def forward(self, x, mask):
        return super().forward(x)


LEAKS = [
    ('GMG', spectral.SpectralMixer, 'forward', over_padding),
    ('GMG', block, 'MaskedGroupNorm', PlainGroupNorm),
    ('GMG', block, 'mask_steps', no_mask),
    ('GMG', pyramid, 'mask_steps', no_mask),
    ('SGP', sgp, 'masked_mean', lambda x, mask: x.mean(dim=-1, keepdim=True)),
    ('SGP', block, 'masked_max_pool1d', plain_pool),
    ('ActionFormer', transformer, 'mask_steps', no_mask),
    ('ActionFormer', transformer, 'masked_max_pool1d', plain_pool),
]


@pytest.mark.parametrize(('name', 'owner', 'part', 'wrong'), LEAKS)
def test_leak(monkeypatch, name, owner, part, wrong):
    check_invariance(build(name), 6, LENGTHS, 1e-10)
    monkeypatch.setattr(owner, part, wrong)
    with pytest.raises(AssertionError):
        check_invariance(build(name), 6, LENGTHS, 1e-5)


def test_garbage_in_the_padding():
    class Trusting(nn.Module):

        def forward(self, x, masks):
            return (F.conv1d(x, torch.ones(6, 6, 3, dtype=x.dtype), padding=1), ), (masks, )

    with pytest.raises(AssertionError):
        check_invariance(Trusting(), 6, LENGTHS, 1e-5)
    with pytest.raises(AssertionError):
        check_shapes(Trusting(), 6, 6, 1)


def test_dead_parameter():
    module = build('GMG')
    for mixer in module.stem:
        nn.init.zeros_(mixer.drop_path_out.scale)
    with pytest.raises(AssertionError, match='gradient of zero'):
        check_gradients(module, 6)
