"""Fusion of neighbouring levels against loops over channels and steps."""
import pytest
import torch
from batteries import level_length, randomise

from cltdr_mm.models.heads.fusion import CrossLevelFusion
from cltdr_mm.structures import Layout, PackedRows, split_levels, stack_rows, unpack

CHANNELS = 6


def make_pyramid(lengths=(8, 5), levels=3, seen=None) -> PackedRows:
    """All levels of some videos in one table; padding is not zero."""
    generator = torch.Generator().manual_seed(0)
    layout, tables = Layout(lengths, seen), []
    for _ in range(levels):
        rows = torch.randn(layout.num_rows, CHANNELS, generator=generator, dtype=torch.float64)
        tables.append(PackedRows(layout.zero_gaps(rows), layout))
        layout = layout.half
    return stack_rows(tables)


def by_level(packed: PackedRows) -> list:
    """Features (B, C, T) of every level."""
    return [unpack(level)[0] for level in split_levels(packed)]


def fuse(module, packed: PackedRows) -> list:
    """What a module makes of a pyramid, level by level; zero in gaps."""
    fused = module(packed.rows, packed.layout)
    assert not fused[packed.layout.gap_rows].any()
    return by_level(PackedRows(fused, packed.layout))


def reference(module, levels, level, depthwise, own_kernel):
    """Eq. 5 to 9 for one level of one video, whose levels are (C, T_l); tap by tap."""
    own = levels[level]
    channels, steps = own.shape
    fused = own.clone()

    def times(weight, x):
        return weight[:, 0] * x if depthwise else weight @ x

    for name, other in (('higher', level + 1), ('lower', level - 1)):
        if name not in module.sources or not 0 <= other < len(levels):
            continue
        source, layer = levels[other], module.resample[name]
        weight = layer.weight  # (in, out / groups, 3) when transposed, else (out, in / groups, 3)
        neighbour = layer.bias[:, None].repeat(1, steps)
        for t in range(steps):
            for tap in range(3):
                # a fine step f and a coarse step c meet in tap f - 2 c + 1
                if name == 'higher':
                    at, rest = divmod(t + 1 - tap, 2)
                else:
                    at, rest = 2 * t + tap - 1, 0
                if rest or not 0 <= at < source.shape[1]:
                    continue
                matrix = weight[:, :, tap]
                if name == 'higher' and not depthwise:
                    matrix = matrix.T
                neighbour[:, t] += times(matrix, source[:, at])
        if module.fusion == 'attention':
            conv, gate = module.own[name], module.gate[name]
            seen = torch.zeros(channels, dtype=torch.float64)
            for t in range(steps):
                mine = conv.bias.clone()
                for tap in range(own_kernel):
                    if 0 <= t + tap - own_kernel // 2 < steps:
                        mine += times(conv.weight[:, :, tap], own[:, t + tap - own_kernel // 2])
                seen += (neighbour[:, t] + mine).clamp(min=0) / steps
            logit = times(gate.weight[:, :, 0], seen) + gate.bias
            neighbour = neighbour * logit.sigmoid()[:, None]
        if module.fusion == 'concat':
            mix = module.mix[name]
            fused = mix.weight[:, :, 0] @ torch.cat([fused, neighbour]) + mix.bias[:, None]
        else:
            fused = fused + neighbour
    return fused


@pytest.mark.parametrize('depthwise, own_kernel', [(True, 3), (False, 1), (True, 5)])
@pytest.mark.parametrize('sources, fusion', [
    (('higher', ), 'attention'), (('lower', ), 'attention'), (('lower', 'higher'), 'attention'),
    (('higher', 'lower'), 'add'), (('higher', 'lower'), 'concat'), ((), 'add')])
@pytest.mark.parametrize('lengths, seen', [((8, 5), None), ((1, 7), None), ((6, 3), (9, 9))])
@torch.no_grad()
def test_equations(depthwise, own_kernel, sources, fusion, lengths, seen):
    """All rows that are seen count, valid or not."""
    module = randomise(CrossLevelFusion(CHANNELS, sources, fusion, depthwise, own_kernel)).double()
    packed = make_pyramid(lengths, seen=seen)
    levels, fused = by_level(packed), fuse(module, packed)
    for video, length in enumerate(seen or lengths):
        own = [x[video, :, :level_length(length, level)] for level, x in enumerate(levels)]
        for level, x in enumerate(own):
            expected = reference(module, own, level, depthwise, own_kernel)
            got = fused[level][video, :, :x.shape[1]]
            assert torch.allclose(got, expected, rtol=0, atol=1e-10)


def test_ends_of_the_pyramid():
    """Where a neighbour is missing it is left out; a pyramid of one level stays as it is."""
    packed = make_pyramid()
    feats = by_level(packed)
    for fusion in ('add', 'attention', 'concat'):
        higher = randomise(CrossLevelFusion(CHANNELS, ('higher', ), fusion)).double()
        lower = randomise(CrossLevelFusion(CHANNELS, ('lower', ), fusion)).double()
        assert torch.equal(fuse(higher, packed)[2], feats[2])
        assert torch.equal(fuse(lower, packed)[0], feats[0])
        assert not torch.equal(fuse(lower, packed)[2], feats[2])
        single = make_pyramid(levels=1)
        for module in (higher, lower):
            out = module(single.rows, single.layout)
            assert torch.equal(out, single.rows)
            out.sum().backward()
            assert all(p.grad is not None and not p.grad.any() for p in module.parameters())


def test_an_inf_stays_in_its_video():
    """And in its levels: gaps stay zero, where the towers' convolutions look."""
    module = randomise(CrossLevelFusion(CHANNELS, ('higher', 'lower'))).double()
    packed = make_pyramid((6, 4, 5))
    expected = module(packed.rows, packed.layout)
    rows = packed.rows.clone()
    first = packed.layout.first[1]
    rows[first + 1:first + 4] = float('inf')  # whose differences are no number
    got = module(rows, packed.layout)
    others = packed.layout.video != 1
    assert torch.equal(got[others], expected[others])
    assert not got[packed.layout.gap_rows].any() and not got.isfinite().all()


def test_depthwise_parameters():
    """As table 15's 17.6 M ask for; full layers as the published code has them."""
    def count(*args):
        module = CrossLevelFusion(CHANNELS, ('higher', ), 'attention', *args)
        return sum(p.numel() for p in module.parameters())
    assert count() == count(True, 3) == CHANNELS * (3 + 3 + 1) + 3 * CHANNELS
    assert count(False, 1) == CHANNELS**2 * (3 + 1 + 1) + 3 * CHANNELS


@pytest.mark.parametrize('kwargs, message', [
    (dict(sources=('above', )), r"sources must be among .*got \['above'\]"),
    (dict(sources=(), fusion='mean'), "fusion must be .*got 'mean'"),
])
def test_wrong_arguments(kwargs, message):
    with pytest.raises(ValueError, match=message):
        CrossLevelFusion(CHANNELS, **kwargs)


def test_levels_that_do_not_halve():
    layout = Layout([8, 3], levels=[0, 1], videos=[0, 0])
    module = CrossLevelFusion(CHANNELS, ('lower', ))
    with pytest.raises(ValueError, match='video 0: level 1 has 3 steps over 8, not half'):
        module(torch.zeros(layout.num_rows, CHANNELS), layout)
