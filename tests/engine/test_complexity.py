"""Arithmetic against counts by hand; that nothing a model does is left out."""
import json
import math

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from torch import nn

import cltdr_mm  # noqa: F401
from cltdr_mm.cli import flops
from cltdr_mm.engine.complexity import complexity_table, count_flops, measure, size_of_input
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
    assert found.parts['front'] == 0 and found.frames is None
    assert all(found.kinds[kind] > 0 for kind in ('products', 'element-wise', 'transforms'))
    assert found.network_seconds is found.memory is None
    assert found.parameters == sum(p.numel() for p in localizer().parameters())


def model_of_frames(**front):
    return MODELS.build(dict(
        type='EndToEndLocalizer', front=dict(type='ClipFront', **front), neck=dict(type='FPN1D'),
        backbone=dict(type='GMG', embed_dims=WIDTH, arch=(1, 1, 2), ffn_dims=24),
        head=dict(type='CLTDRHead', num_classes=3, num_bins=4)))


def test_a_front_is_counted_on_its_frames():
    """What comes after it has the figures of the same model on features of its width."""
    model = model_of_frames(clip_len=4, frames_per_step=2, backbone=dict(
        type='ResNet3d', depth=34, pretrained=None, num_stages=1, base_channels=4,
        out_indices=(0, ), spatial_strides=(1, ), temporal_strides=(1, ), dilations=(1, ),
        inflate=(1, ), with_pool1=False, with_pool2=False))
    found = measure(model, STEPS, 'mine', repeats=0, pixels=16)
    after = measure(localizer(in_channels=4), STEPS, 'other', repeats=0)
    # frames * pixels * channels * weights of a channel: 3 of pictures in the first layer, which
    # halves the sides, then three blocks of two layers; MACs at the borders are counted, too
    convolutions = [module for module in model.front.modules() if isinstance(module, nn.Conv3d)]
    by_hand = 2 * sum(2 * STEPS * 8 * 8 * conv.weight.numel() for conv in convolutions)
    assert len(convolutions) == 7
    assert found.parts == dict(after.parts, front=by_hand)
    assert found.flops == after.flops + by_hand == sum(found.kinds.values())
    number = sum(param.numel() for param in model.front.parameters())
    assert found.front_parameters == number
    assert found.parameters == after.parameters + number
    table = complexity_table([found, after])
    assert f'mine: of {2 * STEPS} frames of 16 x 16 pixels; {number / 1e6:.2f} M' in table
    assert 'front' in table and 'front' not in complexity_table([after])


def transformer(adapter):
    return model_of_frames(clip_len=4, tuning='adapter', adapter=dict(type=adapter), backbone=dict(
        type='VisionTransformer', img_size=32, embed_dims=24, depth=2, num_heads=2, num_frames=4,
        return_feat_map=True))


def test_adapters_are_counted():
    """Of AdaTAD's, the convolutions along time are what a plain one does not have."""
    plain, along = (measure(transformer(kind), STEPS, repeats=0, pixels=32)
                    for kind in ('PlainAdapter', 'TIAdapter'))
    hidden, tubelets, places = 6, STEPS // 2, 4
    assert along.parts['front'] - plain.parts['front'] == (
        2 * 2 * places * hidden * (3 * tubelets - 2 + tubelets * hidden))  # of two blocks
    tokens = tubelets * places
    block = tokens * 12 * 24 * 24 + 2 * tokens * 8 * 24  # products; 8 tokens of a clip attend
    patches = tokens * 24 * 3 * 2 * 16 * 16
    adapter = 2 * tokens * 24 * hidden
    assert plain.parts['front'] == 2 * (patches + 2 * (block + adapter))


def test_times_of_a_front():
    found = measure(transformer('TIAdapter'), 8, repeats=1, pixels=32)
    assert 0 < found.network_seconds and 0 < found.total_seconds


def test_frames_need_a_size():
    with pytest.raises(ValueError, match='mine: model.front takes frames.*--pixels'):
        measure(transformer('TIAdapter'), 8, 'mine', repeats=0)


@pytest.mark.parametrize('name, expected', [
    ('adatad/thumos_s', (768, 160)), ('adatad/anet_s', (192, 160)),
    ('adatad/thumos_g_224', (768, 224)), ('pixels/vit_adapters', (None, None)),
    ('cltdr_thumos', (None, None))])
def test_what_a_config_takes(project_root, name, expected):
    assert size_of_input(Config.fromfile(project_root / 'configs' / f'{name}.py')) == expected


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
    assert [one['steps'] for one in content['configs']] == [50, 50]
    assert [one['name'] for one in content['configs']] == ['cltdr_hapt', 'tridet_hapt']
    assert 'MAC' in capsys.readouterr().out


@pytest.mark.parametrize('arguments', [
    [], ['cltdr_hapt', '--all'], ['cltdr_hapt', '--length', '0'], ['x', '--repeats', '-1'],
    ['x', '--pixels', '0']])
def test_wrong_arguments(arguments):
    with pytest.raises(SystemExit):
        flops.parse_args(arguments)
