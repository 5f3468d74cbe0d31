"""Convolution layers of tables: within sequences, at both strides, and between levels."""
import pytest
import torch
import torch.nn.functional as F
from batteries import level_length, make_videos, randomise
from torch import nn

from cltdr_mm.models.layers import Conv, Downsample2x, NamedConv, Upsample2x, depthwise
from cltdr_mm.structures import Layout, PackedRows, pack, split_levels, stack_rows

LENGTHS = (9, 8, 1, 1, 2, 13)


def split(table, layout):
    """The seen rows of every sequence."""
    return [table[first:first + size] for first, size in zip(layout.first, layout.seen)]


@pytest.mark.parametrize('gap', [0, 1, 3, 6])
@pytest.mark.parametrize('stride', [1, 2])
@pytest.mark.parametrize('kernel', [1, 3, 5, 7, 9])
@pytest.mark.parametrize('groups', [1, 6])
def test_conv(groups, kernel, stride, gap):
    """Of every sequence what ``nn.Conv1d`` makes of it alone, however wide the kernel."""
    conv = randomise(Conv(6, 6, kernel, stride, groups)).double()
    plain = nn.Conv1d(6, 6, kernel, stride, kernel // 2, groups=groups).double()
    plain.load_state_dict(conv.state_dict())
    videos = make_videos(LENGTHS, 6, dtype=torch.float64)
    packed = pack(videos, gap=gap)
    rows = packed.rows.requires_grad_(True)
    out = conv(rows, packed.layout)
    layout = packed.layout.half if stride == 2 else packed.layout
    parts = split(out, layout)
    alone = [video.clone().requires_grad_(True) for video in videos]
    expected = [plain(video.t()[None])[0].t() for video in alone]
    for got, wanted in zip(parts, expected):
        assert got.shape == wanted.shape
        assert torch.allclose(got, wanted, atol=1e-12)
    if stride == 2:
        assert (out[layout.gap_rows] == 0).all()
    weights = make_videos([len(part) for part in parts], 6, seed=3, dtype=torch.float64)
    sum((part * weight).sum() for part, weight in zip(parts, weights)).backward()
    sum((part * weight).sum() for part, weight in zip(expected, weights)).backward()
    for got, video in zip(split(rows.grad, packed.layout), alone):
        assert torch.allclose(got, video.grad, atol=1e-12)
    for ours, theirs in zip(conv.parameters(), plain.parameters()):
        assert torch.allclose(ours.grad, theirs.grad, atol=1e-11)


@pytest.mark.parametrize('stride', [1, 2])
@pytest.mark.parametrize('kernel', [3, 9])
def test_conv_over_padding_that_is_seen(kernel, stride):
    conv = randomise(Conv(4, 5, kernel, stride)).double()
    videos = make_videos((7, 3), 4, dtype=torch.float64)
    packed = pack(videos, [9, 9])
    layout = packed.layout.half if stride == 2 else packed.layout
    for got, video in zip(split(conv(packed.rows, packed.layout), layout), videos):
        x = F.pad(video.t(), (0, 9 - len(video)))[None]
        wanted = F.conv1d(x, conv.weight, conv.bias, stride, kernel // 2)
        assert torch.allclose(got, wanted[0].t(), atol=1e-12)


@pytest.mark.parametrize('bias', [True, False])
@pytest.mark.parametrize('groups', [1, 6])
def test_conv_with_and_without_bias(groups, bias):
    conv = Conv(6, 6, 3, groups=groups, bias=bias)
    assert set(conv.state_dict()) == {'weight'} | ({'bias'} if bias else set())
    if bias:
        assert (conv.bias == 0).all()
        nn.init.ones_(conv.bias)
    packed = pack(make_videos((5, ), 6))
    bare = F.conv1d(packed.rows.t()[None], conv.weight, padding=1, groups=groups)[0].t()
    assert torch.allclose(conv(packed.rows, packed.layout), bare + float(bias), atol=1e-5)


def test_published_names():
    assert set(NamedConv(3, 4, 3).state_dict()) == {'conv.weight', 'conv.bias'}
    assert set(NamedConv(3, 4, 3, bias=False).state_dict()) == {'conv.weight'}
    assert {key: tuple(value.shape) for key, value in depthwise(4, 3).state_dict().items()} == dict(
        weight=(4, 1, 3), bias=(4, ))


def test_bias_keeps_its_digits_under_autocast():
    """What a head predicts is a bias and a little: in bfloat16 the sum would be rounded."""
    conv = Conv(4, 2, 3)
    nn.init.zeros_(conv.weight)
    nn.init.constant_(conv.bias, 4.5951)
    packed = pack(make_videos((6, ), 4))
    with torch.autocast('cpu', dtype=torch.bfloat16):
        out = conv(packed.rows, packed.layout)
    assert torch.equal(out, torch.full_like(out, 4.5951, dtype=torch.float32))


@pytest.mark.parametrize(('arguments', 'message'), [
    ((2, 2, 4), 'kernel_size must be odd, got 4'),
    ((2, 2, 3, 3), 'stride must be 1 or 2, got 3'),
    ((4, 4, 3, 1, 2), 'groups must be 1 or the channels of input and output, got 2'),
    ((4, 8, 3, 1, 4), 'groups must be 1 or the channels of input and output, got 4'),
])
def test_conv_refuses(arguments, message):
    for make in (Conv, NamedConv):
        with pytest.raises(ValueError, match=message):
            make(*arguments)


def make_pyramid(lengths, channels, levels=4, gap=3):
    """Levels of random rows, and all of them in one table."""
    tables, layout = [], Layout(lengths, gap=gap)
    for level in range(levels):
        videos = make_videos(layout.seen, channels, seed=level, dtype=torch.float64)
        tables.append(PackedRows(pack(videos, gap=gap).rows, layout))
        layout = layout.half
    return tables, stack_rows(tables)


@pytest.mark.parametrize('levels', [1, 2, 4])
@pytest.mark.parametrize('groups', [1, 6])
def test_upsample(groups, levels):
    """Every level to the next finer grid, as ``nn.ConvTranspose1d`` does it for one sequence."""
    layer = randomise(Upsample2x(6, groups)).double()
    plain = nn.ConvTranspose1d(6, 6, 3, 2, 1, 1, groups=groups).double()
    plain.load_state_dict(layer.state_dict())
    tables, stacked = make_pyramid(LENGTHS, 6, levels)
    rows = stacked.rows.requires_grad_(True)
    out = layer(rows, stacked.layout)
    assert (out[stacked.layout.gap_rows] == 0).all()
    outs = split_levels(PackedRows(out, stacked.layout))
    assert (outs[-1].rows == 0).all()
    inputs = split_levels(PackedRows(rows, stacked.layout))
    total, wanted = 0, 0
    for fine, coarse in zip(outs, inputs[1:]):
        videos = zip(split(fine.rows, fine.layout), split(coarse.rows, coarse.layout))
        for number, (got, x) in enumerate(videos):
            expected = plain(x.detach().t()[None])[0].t()[:len(got)]
            assert torch.allclose(got, expected, atol=1e-12), number
            total = total + (got * expected.detach().cos()).sum()
            wanted = wanted + (expected * expected.detach().cos()).sum()
    if levels > 1:
        total.backward()
        wanted.backward()
        for ours, theirs in zip(layer.parameters(), plain.parameters()):
            assert torch.allclose(ours.grad, theirs.grad, atol=1e-11)
        assert rows.grad.abs().max() > 0


@pytest.mark.parametrize('levels', [1, 2, 4])
@pytest.mark.parametrize('groups', [1, 6])
def test_downsample(groups, levels):
    """Every level to the next coarser grid, as ``nn.Conv1d`` does it for one sequence."""
    layer = randomise(Downsample2x(6, groups)).double()
    plain = nn.Conv1d(6, 6, 3, 2, 1, groups=groups).double()
    plain.load_state_dict(layer.state_dict())
    tables, stacked = make_pyramid(LENGTHS, 6, levels)
    out = layer(stacked.rows, stacked.layout)
    assert (out[stacked.layout.gap_rows] == 0).all()
    outs = split_levels(PackedRows(out, stacked.layout))
    assert (outs[0].rows == 0).all()
    total, wanted = 0, 0
    for coarse, fine in zip(outs[1:], tables):
        for got, x in zip(split(coarse.rows, coarse.layout), split(fine.rows, fine.layout)):
            expected = plain(x.t()[None])[0].t()
            assert torch.allclose(got, expected, atol=1e-12)
            total = total + (got * expected.detach().cos()).sum()
            wanted = wanted + (expected * expected.detach().cos()).sum()
    if levels > 1:
        total.backward()
        wanted.backward()
        for ours, theirs in zip(layer.parameters(), plain.parameters()):
            assert torch.allclose(ours.grad, theirs.grad, atol=1e-11)


@pytest.mark.parametrize('make', [Upsample2x, Downsample2x])
def test_resampling_keeps_videos_apart(make):
    layer = randomise(make(6)).double()
    tables, stacked = make_pyramid((8, 5, 5, 1), 6)
    together = split_levels(PackedRows(layer(stacked.rows, stacked.layout), stacked.layout))
    for video in range(4):
        alone = []
        for table in tables:
            rows = split(table.rows, table.layout)[video]
            alone.append(PackedRows(pack([rows]).rows, Layout(
                [len(rows)], levels=[table.layout.levels[0]])))
        one = stack_rows(alone)
        outs = split_levels(PackedRows(layer(one.rows, one.layout), one.layout))
        for number, (a, b) in enumerate(zip(together, outs)):
            assert len(split(b.rows, b.layout)[0]) == level_length((8, 5, 5, 1)[video], number)
            assert torch.allclose(split(a.rows, a.layout)[video], split(b.rows, b.layout)[0])


def test_upsample_refuses_other_groups():
    with pytest.raises(ValueError, match='groups must be 1 or 6, got 3'):
        Upsample2x(6, groups=3)


def test_a_mask_instead_of_a_layout():
    """As calls of version 0.1.0 have it."""
    with pytest.raises(TypeError, match='Conv takes a table and its Layout .*, got Tensor'):
        Conv(4, 4, 3)(torch.zeros(2, 4, 9), torch.ones(2, 9, dtype=torch.bool))
    with pytest.raises(ValueError, match='a table of 13 rows was expected'):
        Conv(4, 4, 3)(torch.zeros(10, 4), Layout([7]))
