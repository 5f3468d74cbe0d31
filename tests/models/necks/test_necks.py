"""The battery over every registered neck, and each neck's own formula."""
import inspect

import pytest
import torch
import torch.nn.functional as F
from batteries import (
    check_bfloat16,
    check_export,
    check_gradients,
    check_half_precision,
    check_invariance,
    check_padding_is_of_a_video,
    check_shapes,
    check_state_dict,
    check_trace,
    level_length,
    make_videos,
    pad,
    randomise,
)
from mmaction.registry import MODELS
from torch import nn

from cltdr_mm.models.backbones import PyramidBackbone
from cltdr_mm.models.parts import PyramidPart
from cltdr_mm.structures import PackedRows, pack, unpack

LEVELS, WIDTH = 4, 8
CONFIGS = [
    dict(type='IdentityNeck', in_channels=WIDTH, num_levels=LEVELS),
    dict(type='IdentityNeck', in_channels=WIDTH, num_levels=LEVELS, norm='group'),
    dict(type='IdentityNeck', in_channels=WIDTH, num_levels=LEVELS, norm=None),
    dict(type='FPN1D', in_channels=WIDTH, num_levels=LEVELS),
    dict(type='FPN1D', in_channels=WIDTH, num_levels=LEVELS, with_norm=False),
    dict(type='FPN1D', in_channels=WIDTH, num_levels=LEVELS, out_channels=12),
]
LENGTHS = (37, 1, 18, 5, 40, 18)


def test_every_registered_neck_is_in_the_battery():
    names = {name for name, cls in MODELS.module_dict.items()
             if inspect.isclass(cls) and issubclass(cls, PyramidPart)
             and not issubclass(cls, PyramidBackbone)}
    assert names == {cfg['type'] for cfg in CONFIGS}


def halve(packed):
    """Every second row."""
    half = packed.layout.half
    rows = packed.rows.new_zeros(half.num_rows, packed.rows.shape[1])
    rows[half.seen_rows] = packed.rows[packed.layout.every_second]
    return PackedRows(rows, half)


class OverPyramid(nn.Module):
    """A neck over a pyramid that takes every 2^l-th step: a backbone to the battery."""

    def __init__(self, cfg):
        super().__init__()
        self.neck = MODELS.build(cfg)

    def forward(self, x, masks=None):
        if masks is None:
            levels = [x]
            for _ in range(LEVELS - 1):
                levels.append(halve(levels[-1]))
            return self.neck(levels)
        feats = tuple(x[..., ::2**level] for level in range(LEVELS))
        return self.neck(feats, tuple(masks[:, ::2**level] for level in range(LEVELS)))


def build(cfg):
    return randomise(OverPyramid(cfg))


@pytest.mark.parametrize('cfg', CONFIGS)
def test_shapes(cfg):
    module = build(cfg)
    assert module.neck.out_channels == cfg.get('out_channels', WIDTH)
    check_shapes(module, WIDTH, cfg.get('out_channels', WIDTH), LEVELS)


@pytest.mark.parametrize('cfg', CONFIGS)
def test_padding_and_batch_do_not_matter(cfg):
    check_invariance(build(cfg), WIDTH, LENGTHS, 1e-10)
    check_invariance(build(cfg), WIDTH, LENGTHS, 1e-5, torch.float32)
    check_invariance(build(cfg), WIDTH, (WIDTH, WIDTH, 3), 1e-10)  # as many channels as steps
    check_padding_is_of_a_video(build(cfg), WIDTH)


@pytest.mark.parametrize('cfg', [cfg for cfg in CONFIGS if cfg.get('norm', 'layer') == 'layer'])
def test_gradients(cfg):  # the others have no parameters
    check_gradients(build(cfg), WIDTH)
    check_bfloat16(build(cfg), WIDTH)


@pytest.mark.parametrize('cfg', CONFIGS)
@pytest.mark.filterwarnings('ignore')
def test_other_precision_state_dict_and_trace(cfg):
    check_half_precision(build(cfg), WIDTH)
    check_state_dict(lambda: OverPyramid(cfg), WIDTH)
    check_trace(build(cfg), WIDTH)


@pytest.mark.parametrize('cfg', [CONFIGS[0], CONFIGS[1], CONFIGS[3]])
@pytest.mark.filterwarnings('ignore')
def test_export_holds_for_every_length(cfg):
    check_export(build(cfg), WIDTH)


def test_identity_norm_leaves_its_bias_in_padding_that_is_seen():
    module = build(CONFIGS[0])
    videos = make_videos((20, 9), WIDTH)
    plain, padded = module(pack(videos)), module(pack(videos, [20, 20]))
    for level, (a, b) in enumerate(zip(plain, padded)):
        valid = level_length(9, level)
        feats = unpack(b)[0]
        assert torch.equal(unpack(a)[0][1, :, :valid], feats[1, :, :valid])
        bias = module.neck.fpn_norms[level].bias
        assert torch.allclose(feats[1, :, valid:], bias[0].expand(-1, feats.shape[2] - valid))


def test_identity_group_norm():
    module = OverPyramid(CONFIGS[1])
    assert not module.state_dict()
    videos = make_videos((20, 9), WIDTH)
    x, masks = pad(videos, 20)
    out = module(x, masks)[0][0]
    assert torch.allclose(out[1:, :, :9], F.group_norm(x[1:, :, :9], 4), atol=1e-5)
    # over all that is seen
    padded = unpack(module(pack(videos, [20, 20]))[0])[0]
    assert torch.allclose(padded, F.group_norm(x, 4), atol=1e-5)


def test_identity_without_norm_changes_nothing():
    videos = make_videos((20, 9), WIDTH)
    packed = pack(videos)
    outs = OverPyramid(CONFIGS[2])(packed)
    assert torch.equal(outs[0].rows, packed.rows)
    assert torch.equal(outs[2].rows, halve(halve(packed)).rows)


@pytest.mark.parametrize('lengths', [(11, ), (8, 11, 8, 1), (2, 2, 16)])
@pytest.mark.parametrize('cfg', [CONFIGS[3], CONFIGS[4]])
def test_fpn_by_hand(cfg, lengths):
    neck = randomise(MODELS.build(cfg)).double()

    def conv(part, x):
        weight = part.conv.weight
        return F.conv1d(x, weight, part.conv.bias, padding=weight.shape[2] // 2,
                        groups=x.shape[1] // weight.shape[1])

    levels = [make_videos([level_length(n, level) for n in lengths], WIDTH, seed=level,
                          dtype=torch.float64) for level in range(LEVELS)]
    outs = []
    packed = pack(levels[0])
    tables = [packed]
    for videos in levels[1:]:
        layout = tables[-1].layout.half
        tables.append(PackedRows(pack(videos).rows, layout))
    outs = [unpack(table)[0] for table in neck(tables)]
    for video in range(len(lengths)):
        hidden = [conv(part, level[video].t()[None])
                  for part, level in zip(neck.lateral_convs, levels)]
        for fine in (2, 1, 0):
            for t in range(hidden[fine].shape[-1]):
                hidden[fine][..., t] = hidden[fine][..., t] + hidden[fine + 1][..., t // 2]
        for out, level, part, norm in zip(outs, hidden, neck.fpn_convs, neck.fpn_norms):
            expected = conv(part, level)[0].t()
            if cfg.get('with_norm', True):
                expected = F.layer_norm(expected, (WIDTH, ), norm.weight.flatten(),
                                        norm.bias.flatten())
            assert torch.allclose(out[video, :, :len(expected)].t(), expected, atol=1e-10)


@pytest.mark.parametrize('cfg', [CONFIGS[0], CONFIGS[3]])
def test_wrong_number_of_levels(cfg):
    neck = MODELS.build(cfg)
    x, masks = pad(make_videos((8, ), WIDTH), 8)
    message = f'{cfg["type"]}: 1 feature levels came in, but it was built for 4'
    with pytest.raises(ValueError, match=message):
        neck((x, ), (masks, ))
    with pytest.raises(ValueError, match=message):
        neck([pack(make_videos((8, ), WIDTH))])


def test_bad_arguments():
    with pytest.raises(ValueError, match='norm must be'):
        MODELS.build(dict(CONFIGS[0], norm='batch'))
    with pytest.raises(TypeError, match='variant'):
        MODELS.build(dict(CONFIGS[0], variant='release'))
    with pytest.raises(TypeError, match='FPN1D has no argument.*colour'):
        MODELS.build(dict(CONFIGS[3], colour='red'))
