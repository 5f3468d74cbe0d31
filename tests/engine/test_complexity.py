"""Arithmetic against counts by hand; that nothing a model does is left out."""
import dataclasses
import json
import math

import pytest
import torch
from mmaction.registry import MODELS
from torch import nn

import cltdr_mm  # noqa: F401
from cltdr_mm.cli import flops
from cltdr_mm.engine.complexity import complexity_table, count_flops, measure
from cltdr_mm.models.layers import Conv, LocalSelfAttention
from cltdr_mm.structures import GAP, pack

STEPS, WIDTH = 40, 16
ROWS = STEPS + 2 * GAP  # of the table of one sequence


def counted(layer, *inputs):
    total, _, kinds = count_flops(layer, lambda: layer(*inputs))
    assert sum(kinds.values()) == total
    return kinds


def table(channels=WIDTH):
    return pack([torch.randn(STEPS, channels, dtype=torch.float64)])


def test_linear_layer():
    layer, packed = Conv(WIDTH, 7, 1).double(), table()
    assert counted(layer, packed.rows)['products'] == 2 * ROWS * WIDTH * 7


def test_convolution():
    """A tap that looks beyond the table has one row less to do."""
    layer, packed = Conv(WIDTH, 7, 3, bias=False).double(), table()
    kinds = counted(layer, packed.rows, packed.layout)
    assert kinds == {'products': 2 * (3 * ROWS - 2) * WIDTH * 7, 'transforms': 0,
                     'element-wise': 0}


def test_depthwise_convolution():
    layer, packed = Conv(WIDTH, WIDTH, 5, groups=WIDTH).double(), table()
    kinds = counted(layer, packed.rows, packed.layout)
    assert kinds['element-wise'] == 2 * (5 * ROWS - 2 * (1 + 2)) * WIDTH
    assert kinds['products'] == 0


def test_global_attention():
    """Four projections, and every pair of steps twice."""
    layer, packed = LocalSelfAttention(WIDTH, num_heads=4).double(), table()
    pairs = 2 * 2 * STEPS * STEPS * WIDTH
    assert counted(layer, packed.rows, packed.layout)['products'] == (
        4 * 2 * ROWS * WIDTH * WIDTH + pairs)


@pytest.mark.parametrize('steps', [1, 7, 40])
def test_fourier_transform(steps):
    class Both(nn.Module):
        def forward(self, y):
            return torch.fft.irfft(torch.fft.rfft(y), n=steps)

    kinds = counted(Both(), torch.randn(3, steps))
    assert kinds['transforms'] == 2 * round(3 * steps * 2.5 * math.log2(steps))


def localizer(**backbone):
    return MODELS.build(dict(
        type='SingleStageLocalizer',
        backbone=dict(dict(type='GMG', in_channels=6, embed_dims=WIDTH, arch=(1, 1, 2),
                           ffn_dims=24), **backbone),
        neck=dict(type='FPN1D'),
        head=dict(type='CLTDRHead', num_classes=3, num_bins=4)))


def test_a_localizer_in_parts():
    found = measure(localizer(), STEPS, repeats=0)
    assert found.flops == sum(found.parts.values()) == sum(found.kinds.values())
    assert all(found.parts[part] > 0 for part in ('backbone', 'neck', 'head'))
    assert all(found.kinds[kind] > 0 for kind in ('products', 'element-wise', 'transforms'))
    assert found.network_seconds is found.memory is None
    assert found.parameters == sum(p.numel() for p in localizer().parameters())


def test_a_front_stands_apart():
    """Figures of what comes after it, at its width; its parameters in a line of their own."""
    front = dict(type='ClipFront', clip_len=4, backbone=dict(
        type='ResNet3d', depth=34, pretrained=None, num_stages=1, base_channels=4,
        out_indices=(0, ), spatial_strides=(1, ), temporal_strides=(1, ), dilations=(1, ),
        inflate=(1, )))
    rest = localizer(in_channels=4)
    model = MODELS.build(dict(
        type='EndToEndLocalizer', front=front, neck=dict(type='FPN1D'),
        backbone=dict(type='GMG', embed_dims=WIDTH, arch=(1, 1, 2), ffn_dims=24),
        head=dict(type='CLTDRHead', num_classes=3, num_bins=4)))
    found, expected = (measure(one, STEPS, 'mine', repeats=0) for one in (model, rest))
    number = sum(param.numel() for param in model.front.parameters())
    assert found == dataclasses.replace(expected, front_parameters=number)
    line = f'mine: without its front, which makes features of frames: {number / 1e6:.2f} M param'
    assert line in complexity_table([found]) and 'front' not in complexity_table([expected])


def test_max_pooling_costs_the_embedding_alone():
    """TemporalMaxer multiplies in its embedding convolution, and nowhere else."""
    found = measure(MODELS.build(dict(
        type='SingleStageLocalizer',
        backbone=dict(type='TemporalMaxer', in_channels=6, embed_dims=WIDTH, arch=(1, 0, 2)),
        head=dict(type='ActionFormerHead', num_classes=3))), STEPS, repeats=0)
    assert found.parts['backbone'] == 2 * (3 * ROWS - 2) * 6 * WIDTH
    assert found.parts['neck'] == 0


def test_twice_the_length_is_twice_the_work():
    short, long = (measure(localizer(), steps, repeats=0).flops for steps in (1000, 2000))
    assert 1.98 < long / short < 2.02


def test_a_model_stays_as_it_was():
    model = localizer()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    found = measure(model, STEPS, 'mine', repeats=2)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert 0 < found.network_seconds and 0 < found.total_seconds
    assert found.memory is None or found.memory >= 0
    lines = complexity_table([found]).splitlines()
    assert len(lines) == 5 and lines[3].split()[1] == 'mine'


def test_command_line(tmp_path, capsys):
    out = tmp_path / 'flops.json'
    flops.main(['cltdr_hapt', 'tridet_hapt', '--length', '50', '--repeats', '0', '--out', str(out)])
    content = json.loads(out.read_text())
    assert content['length'] == 50
    assert [one['name'] for one in content['configs']] == ['cltdr_hapt', 'tridet_hapt']
    assert '50 steps' in capsys.readouterr().out


@pytest.mark.parametrize('arguments', [
    [], ['cltdr_hapt', '--all'], ['cltdr_hapt', '--length', '0'], ['x', '--repeats', '-1']])
def test_wrong_arguments(arguments):
    with pytest.raises(SystemExit):
        flops.parse_args(arguments)
