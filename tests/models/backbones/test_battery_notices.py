"""The battery fails on what it is there to catch: each way that sequences could leak."""
import pytest
import torch
import torch.nn.functional as F
from batteries import (
    check_gradients,
    check_invariance,
    check_padding_is_of_a_video,
    check_shapes,
    randomise,
)
from mmaction.registry import MODELS
from torch import nn

from cltdr_mm.models.backbones import block, spectral, transformer
from cltdr_mm.models.layers import ChannelLayerNorm, Conv, GroupNorm, LocalSelfAttention
from cltdr_mm.models.parts import PyramidPart
from cltdr_mm.structures import Layout, PackedRows

LENGTHS = (37, 1, 18, 5, 40, 18)


def build(name, **kwargs):
    return randomise(MODELS.build(
        dict(type=name, in_channels=6, embed_dims=32, arch=(2, 1, 3), drop_path=0.0, **kwargs)))


def as_one(self, function, x, valid_only=False):
    """All rows as one sequence."""
    return function(x[None])[0]


def plain_pool(x, layout):
    """Pooling that neither begins with a sequence nor ends with it."""
    half = layout.half
    out = F.max_pool1d(x.t()[None], 3, 2, 1)[0].t()
    padded = torch.cat([out, out.new_zeros(max(0, half.num_rows - len(out)), x.shape[1])])
    return half.zero_gaps(padded[:half.num_rows].contiguous()), half


def pool_past_the_end(x, layout):
    """Pooling that takes a gap's zeros for values."""
    half, rows = layout.half, layout.every_second
    taps = [x[(rows + shift).clamp(0, len(x) - 1)] for shift in (-1, 0, 1)]
    out = torch.stack(taps).amax(0)
    return x.new_zeros(half.num_rows, x.shape[1]).index_copy(0, half.seen_rows, out), half


def norm_with_gaps(self, x, layout):
    return F.layer_norm(x, (self.channels, ), self.weight.flatten(), self.bias.flatten())


def group_norm_of_a_batch(self, x, layout, norm=GroupNorm.forward):
    return layout.zero_gaps(norm(self, x, Layout([len(x)], gap=0)))


def attend_over_all(self, x, layout):
    return self.proj(self.attend_block(*(
        conv(x)[None] for conv in (self.query, self.key, self.value)))[0])


def mean_of_a_batch(self, x):
    return x.mean(0, keepdim=True).expand(len(self), -1)


def no_zeros(self, x, inplace=False):
    return x


LEAKS = [
    *(('GMG', dict(global_mixer=name), spectral.FourierMixer, 'forward',
       lambda self, y, layout: as_one(layout, self.mixing(), y))
      for name in ('fft', 'fnet', 'gfnet', 'afno')),
    ('GMG', {}, GroupNorm, 'forward', group_norm_of_a_batch),
    ('GMG', {}, ChannelLayerNorm, 'forward', norm_with_gaps),
    ('GMG', {}, block, 'max_pool', plain_pool),
    ('GMG', dict(global_mixer='attention'), LocalSelfAttention, 'forward', attend_over_all),
    ('SGP', {}, Layout, 'mean', mean_of_a_batch),
    ('SGP', {}, block, 'max_pool', pool_past_the_end),
    # gaps of three rows, under a kernel that looks four rows far
    ('SGP', dict(window_size=9), Conv, 'reach',
     property(lambda self: min(1, self.kernel_size[0] // 2))),
    ('LoGo', {}, Layout, 'max', lambda self, x: x.amax(0, keepdim=True).expand(len(self), -1)),
    ('LoGo', {}, Layout, 'expand', lambda self, values: values[self.sequence.flip(0)]),
    ('ActionFormer', {}, transformer, 'max_pool', plain_pool),
    ('ActionFormer', dict(window_size=-1), Layout, '_runs',
     property(lambda self: [(1, self.num_rows - 2 * self.gap, self.num_rows - 2 * self.gap)])),
    ('ActionFormer', {}, Layout, 'zero_gaps', no_zeros),
    ('ActionFormer', dict(embed_norm=False), Layout, 'zero_gaps', no_zeros),
]


@pytest.mark.parametrize(('name', 'kwargs', 'owner', 'part', 'wrong'), LEAKS)
def test_leak(monkeypatch, name, kwargs, owner, part, wrong):
    module = build(name, **kwargs)
    check_invariance(module, 6, LENGTHS, 1e-10)
    monkeypatch.setattr(owner, part, wrong)
    with pytest.raises(AssertionError):
        check_invariance(module, 6, LENGTHS, 1e-5)


def test_blocks_that_are_mixed_up(monkeypatch):
    """Sequences of one length come together: the batched path alone goes wrong here."""
    module = build('GMG')
    join = Layout.join
    monkeypatch.setattr(
        Layout, 'join', lambda self, blocks: join(self, [x.flip(0) for x in blocks]))
    with pytest.raises(AssertionError):
        check_invariance(module, 6, (18, 5, 18, 18), 1e-5)


def test_padding_that_reaches_another_video(monkeypatch):
    module = build('SGP')
    check_padding_is_of_a_video(module, 6)
    monkeypatch.setattr(Layout, 'mean', mean_of_a_batch)
    with pytest.raises(AssertionError):
        check_padding_is_of_a_video(module, 6)


class Trusting(PyramidPart):
    """A convolution that takes what it gets, and zeroes nothing."""

    def __init__(self):
        super().__init__()
        self.conv = Conv(6, 6, 3)

    def forward_rows(self, packed):
        rows = packed.rows + 1  # gaps are no longer zero
        return [PackedRows(self.conv(rows, packed.layout), packed.layout)]


def test_gaps_that_are_not_zero():
    module = randomise(Trusting())
    with pytest.raises(AssertionError):
        check_invariance(module, 6, LENGTHS, 1e-5)
    with pytest.raises(AssertionError):
        check_shapes(module, 6, 6, 1)


def test_garbage_in_the_padding():
    class Plain(nn.Module):

        def forward(self, x, masks):
            return (F.conv1d(x, torch.ones(6, 6, 3, dtype=x.dtype), padding=1), ), (masks, )

    with pytest.raises(AssertionError):
        check_invariance(Plain(), 6, LENGTHS, 1e-5)
    with pytest.raises(AssertionError):
        check_shapes(Plain(), 6, 6, 1)


def test_dead_parameter():
    module = build('GMG')
    for mixer in module.stem:
        nn.init.zeros_(mixer.drop_path_out.scale)
    with pytest.raises(AssertionError, match='gradient of zero'):
        check_gradients(module, 6)


def test_gradients_that_rows_lose(monkeypatch):
    class Detached(Trusting):

        def forward_rows(self, packed):
            scale = 1 if packed.layout.seen[0] == packed.layout.lengths[0] == 37 else 2
            return [PackedRows(packed.layout.zero_gaps(self.conv(packed.rows, packed.layout)) *
                               (scale if packed.rows.requires_grad else 2), packed.layout)]

    with pytest.raises(AssertionError, match='gradients through rows'):
        check_gradients(randomise(Detached()), 6)
