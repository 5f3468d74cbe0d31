"""The battery over every neck, and each neck's own formula."""
import pytest
import torch
import torch.nn.functional as F
from batteries import (
    check_bfloat16,
    check_gradients,
    check_invariance,
    check_shapes,
    check_state_dict,
    check_trace,
    make_inputs,
    randomise,
)
from mmaction.registry import MODELS
from torch import nn

LEVELS, WIDTH = 4, 8
CONFIGS = [
    dict(type='IdentityNeck', in_channels=WIDTH, num_levels=LEVELS),
    dict(type='IdentityNeck', in_channels=WIDTH, num_levels=LEVELS, norm='group'),
    dict(type='IdentityNeck', in_channels=WIDTH, num_levels=LEVELS, norm=None),
    dict(type='FPN1D', in_channels=WIDTH, num_levels=LEVELS),
    dict(type='FPN1D', in_channels=WIDTH, num_levels=LEVELS, with_norm=False),
]


class OverPyramid(nn.Module):
    """A neck over a pyramid that takes every 2^l-th step: a backbone to the battery."""

    def __init__(self, cfg):
        super().__init__()
        self.neck = MODELS.build(cfg)

    def forward(self, x, masks):
        x = x.masked_fill(~masks[:, None], 0)
        feats = tuple(x[..., ::2**level] for level in range(LEVELS))
        return self.neck(feats, tuple(masks[:, ::2**level] for level in range(LEVELS)))


@pytest.mark.parametrize('cfg', CONFIGS)
def test_battery(cfg):
    module = randomise(OverPyramid(cfg))
    check_shapes(module, WIDTH, WIDTH, LEVELS)
    check_invariance(module, WIDTH, (37, 1, 18, 5, 40), 1e-10)
    check_invariance(module, WIDTH, (37, 1, 18, 5, 40), 1e-5, torch.float32)
    check_trace(module, WIDTH)
    if cfg.get('norm', 'layer') == 'layer':  # the other two have no parameters
        check_gradients(module, WIDTH)
        check_bfloat16(module, WIDTH)
        check_state_dict(lambda: OverPyramid(cfg), WIDTH)


def test_identity_release_leaves_the_bias():
    paper = randomise(OverPyramid(CONFIGS[0]))
    release = OverPyramid(dict(CONFIGS[0], variant='release'))
    release.load_state_dict(paper.state_dict())
    x, masks = make_inputs((20, 9), WIDTH)
    for level, (a, b) in enumerate(zip(paper(x, masks)[0], release(x, masks)[0])):
        mask = masks[:, None, ::2**level]
        assert torch.equal(a, b * mask)
        bias = release.neck.fpn_norms[level].bias
        assert torch.allclose((b - bias).masked_select(~mask), torch.tensor(0.0), atol=1e-6)


def test_identity_group_norm():
    x, masks = make_inputs((20, 9), WIDTH)
    paper = OverPyramid(CONFIGS[1])(x, masks)[0][0]
    assert torch.allclose(paper[1:, :, :9], F.group_norm(x[1:, :, :9], 4), atol=1e-5)
    release = OverPyramid(dict(CONFIGS[1], variant='release'))(x, masks)[0][0]
    assert torch.allclose(release, F.group_norm(x, 4), atol=1e-6)
    assert not OverPyramid(CONFIGS[1]).state_dict()


def test_fpn_by_hand():
    neck = randomise(MODELS.build(CONFIGS[3])).double()
    torch.manual_seed(0)
    feats = tuple(torch.randn(1, WIDTH, n, dtype=torch.float64) for n in (11, 6, 3, 2))
    masks = tuple(torch.ones(1, feat.shape[-1], dtype=torch.bool) for feat in feats)
    levels = [conv.conv(feat) for conv, feat in zip(neck.lateral_convs, feats)]
    for fine, coarse in ((2, 3), (1, 2), (0, 1)):
        for t in range(levels[fine].shape[-1]):
            levels[fine][..., t] = levels[fine][..., t] + levels[coarse][..., t // 2]
    outs, _ = neck(feats, masks)
    for out, level, conv, norm in zip(outs, levels, neck.fpn_convs, neck.fpn_norms):
        assert torch.allclose(out, norm(conv.conv(level)), atol=1e-10)


def test_fpn_width():
    neck = MODELS.build(dict(CONFIGS[3], out_channels=12))
    feats = tuple(torch.randn(1, WIDTH, n) for n in (8, 4, 2, 1))
    masks = tuple(torch.ones(1, n, dtype=torch.bool) for n in (8, 4, 2, 1))
    assert [out.shape[1] for out in neck(feats, masks)[0]] == [12] * 4


@pytest.mark.parametrize('cfg', [CONFIGS[0], CONFIGS[3]])
def test_wrong_number_of_levels(cfg):
    neck = MODELS.build(cfg)
    x, masks = make_inputs((8, ), WIDTH)
    with pytest.raises(ValueError, match='built for 4 levels, got 1'):
        neck((x, ), (masks, ))


def test_unknown_norm():
    with pytest.raises(ValueError, match='norm must be'):
        MODELS.build(dict(CONFIGS[0], norm='batch'))
