"""Checks that every pyramid component passes, whatever it computes.

A component under test maps (x, masks) to (feats, masks) and a PackedRows to a list of them, as
backbones do.
"""
import copy

import torch
from torch import nn

from cltdr_mm.structures import pack, unpack


def randomise(module: nn.Module, seed: int = 0) -> nn.Module:
    """Give every parameter a random value: what starts at zero or at one hides errors."""
    generator = torch.Generator().manual_seed(seed)
    for param in module.parameters():
        noise = torch.randn(param.shape, generator=generator)
        fan_in = param[0].numel() if param.dim() > 1 and param.shape[0] > 2 else 1
        with torch.no_grad():
            param.copy_(noise / fan_in**0.5 if fan_in > 1 else 0.3 + 0.5 * noise)
    return module


def make_inputs(lengths, channels, steps=None, garbage=False, seed=0, dtype=torch.float32):
    """Sequences of the given lengths, padded to ``steps``; video i is the same in every batch."""
    steps = max(lengths) if steps is None else steps
    x = torch.zeros(len(lengths), channels, steps, dtype=dtype)
    masks = torch.zeros(len(lengths), steps, dtype=torch.bool)
    for row, length in enumerate(lengths):
        generator = torch.Generator().manual_seed(1000 * seed + length)
        x[row, :, :length] = torch.randn(channels, length, generator=generator, dtype=dtype)
        if garbage:
            x[row, :, length:] = 100 * torch.randn(channels, steps - length, dtype=dtype)
        masks[row, :length] = True
    return x, masks


def make_videos(lengths, channels, seed=0, dtype=torch.float32):
    """Videos (T_i, C); those of one length differ."""
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(length, channels, generator=generator, dtype=dtype) for length in lengths]


def pad(videos, steps, filler=0.0):
    """Videos (T_i, C) as features (B, C, T) and their mask; random padding of size ``filler``."""
    x = filler * torch.randn(len(videos), videos[0].shape[1], steps, dtype=videos[0].dtype)
    masks = torch.zeros(len(videos), steps, dtype=torch.bool)
    for row, video in enumerate(videos):
        x[row, :, :len(video)] = video.t()
        masks[row, :len(video)] = True
    return x, masks


def level_length(length, level):
    """Steps of a video at a level: halved, rounded up, again and again."""
    for _ in range(level):
        length = -(-length // 2)
    return length


def check_shapes(module, channels, width, levels, lengths=(37, 8, 1)):
    """Shapes, masks and zeros at padded steps; layouts, and zeros in gaps."""
    x, masks = make_inputs(lengths, channels, steps=max(lengths) + 3)
    feats, out_masks = module.eval()(x, masks)
    assert len(feats) == len(out_masks) == levels
    for level, (feat, mask) in enumerate(zip(feats, out_masks)):
        steps = level_length(x.shape[-1], level)
        assert feat.shape == (len(lengths), width, steps)
        assert mask.dtype == torch.bool
        assert torch.equal(mask, masks[:, ::2**level])
        assert mask.sum(dim=1).tolist() == [level_length(n, level) for n in lengths]
        assert torch.isfinite(feat).all()
        assert (feat.masked_select(~mask[:, None]) == 0).all()
    tables = module(pack(make_videos(lengths, channels)))
    assert len(tables) == levels
    for level, table in enumerate(tables):
        layout = table.layout
        assert layout.lengths == layout.seen == tuple(level_length(n, level) for n in lengths)
        assert layout.levels == (level, ) * len(lengths)
        assert layout.videos == tuple(range(len(lengths)))
        assert table.rows.shape == (layout.num_rows, width)
        assert torch.isfinite(table.rows).all()
        assert (table.rows[layout.gap_rows] == 0).all()


def check_invariance(module, channels, lengths, tolerance, dtype=torch.float64):
    """A video alone, without padding, against the same in a batch, as tensors and as rows.

    Batches: all videos padded, more padded and shuffled; those of one length alone.
    """
    module = copy.deepcopy(module).to(dtype).eval()
    module.requires_grad_(False)
    videos = make_videos(lengths, channels, dtype=dtype)
    alone = [module(*pad([video], len(video)))[0] for video in videos]
    scale = max(float(feat.abs().max()) for feats in alone for feat in feats)

    def compare(order, feats, how):
        for row, number in enumerate(order):
            for level, expected in enumerate(alone[number]):
                got = feats[level][row, :, :expected.shape[-1]]
                error = float((got - expected[0]).abs().max()) / max(scale, 1)
                assert error < tolerance, (
                    f'{how}: video {number} of length {lengths[number]}, level {level}: {error}')

    everyone = list(range(len(videos)))
    groups = [[i for i in everyone if lengths[i] == length] for length in set(lengths)]
    equal = [group for group in groups if len(group) > 1]
    assert equal, 'two lengths must be equal, so that sequences come together in one block'
    for order, extra in ((everyone, 0), (everyone[::-1], 1), (everyone, 29),
                         *((group, extra) for group in equal for extra in (0, 2))):
        batch = [videos[i] for i in order]
        steps = max(len(video) for video in batch) + extra
        compare(order, module(*pad(batch, steps, filler=100))[0], f'{steps} steps')
    # without a gap every layer makes its own, so that one that trusts its gaps comes out otherwise
    for order, gap in ((everyone, 0), (everyone[::-1], 5), *((group, 3) for group in equal)):
        tables = module(pack([videos[i] for i in order], gap=gap))
        compare(order, [unpack(table)[0] for table in tables], f'rows, gap {gap}')


def check_padding_is_of_a_video(module, channels, lengths=(16, 5, 9, 5), seen=16, tolerance=1e-10):
    """Rows that are seen but not valid: with others in a batch as alone, finite, and zero in gaps.

    What stands there may change the video's own rows, as in published code, but not another's.
    """
    module = copy.deepcopy(module).double().eval()
    module.requires_grad_(False)
    videos = make_videos(lengths, channels, dtype=torch.float64)
    tables = module(pack(videos, [seen] * len(videos)))
    batched = [unpack(table)[0] for table in tables]
    for level, table in enumerate(tables):
        assert table.layout.seen == (level_length(seen, level), ) * len(videos)
        assert torch.isfinite(table.rows).all()
        assert (table.rows[table.layout.gap_rows] == 0).all()
    for row, video in enumerate(videos):
        for feats, table in zip(batched, module(pack([video], [seen]))):
            alone = unpack(table)[0][0]
            assert (feats[row] - alone).abs().max() < tolerance * max(1, float(alone.abs().max()))


def weighted_sum(feats):
    """A loss that differs from step to step: a plain sum is blind to what a norm removes."""
    generator = torch.Generator().manual_seed(7)
    return sum((feat * torch.randn(feat.shape, generator=generator)).sum() for feat in feats)


def check_gradients(module, channels, lengths=(37, 20)):
    """Every parameter is finite and counts; padded inputs do not. Rows give the same gradients."""
    module = module.train()
    module.zero_grad()
    videos = make_videos(lengths, channels)
    x, masks = pad(videos, max(lengths) + 5)
    x.requires_grad_(True)
    feats, _ = module(x, masks)
    weighted_sum(feats).backward()
    grads = {}
    for name, param in module.named_parameters():
        assert param.grad is not None, f'{name} takes no part'
        assert torch.isfinite(param.grad).all(), f'{name} has a gradient that is not finite'
        assert param.grad.abs().max() > 0, f'{name} has a gradient of zero'
        grads[name] = param.grad
    assert torch.isfinite(x.grad).all()
    assert (x.grad.masked_select(~masks[:, None]) == 0).all()
    assert (x.grad.abs().amax(dim=(1, 2)) > 0).all()
    module.zero_grad()
    tables = module(pack(videos))
    weighted_sum([unpack(table, feat.shape[2])[0] for table, feat in zip(tables, feats)]).backward()
    for name, param in module.named_parameters():
        error = (param.grad - grads[name]).norm() / grads[name].norm()
        assert error < 1e-4, f'{name}: gradients through rows deviate by {error}'


def check_bfloat16(module, channels, tolerance=0.1, lengths=(37, 20)):
    """Under autocast: finite, close to float32, zeros kept, gradients finite."""
    module = module.train()
    module.zero_grad()
    x, masks = make_inputs(lengths, channels, steps=max(lengths) + 5)
    with torch.no_grad():
        expected, _ = module(x, masks)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        feats, out_masks = module(x, masks)
    for feat, ref, mask in zip(feats, expected, out_masks):
        assert torch.isfinite(feat).all()
        assert (feat.masked_select(~mask[:, None]) == 0).all()
        assert (feat.float() - ref).norm() <= tolerance * ref.norm()
    sum(feat.float().square().sum() for feat in feats).backward()
    for name, param in module.named_parameters():
        assert torch.isfinite(param.grad).all(), name


def check_half_precision(module, channels, tolerance=0.15):
    """Without autocast, all parameters and features in bfloat16."""
    module = module.eval()
    x, masks = make_inputs((37, 20), channels)
    expected = module(x, masks)[0]
    for got, ref in zip(copy.deepcopy(module).bfloat16()(x.bfloat16(), masks)[0], expected):
        assert got.dtype == torch.bfloat16
        assert (got.float() - ref).norm() < tolerance * ref.norm()


def check_state_dict(build, channels):
    """Another instance with the state dict of the first computes the same."""
    first, second = randomise(build(), 1).eval(), randomise(build(), 2).eval()
    x, masks = make_inputs((19, 6), channels)
    if first.state_dict():
        assert not torch.equal(first(x, masks)[0][-1], second(x, masks)[0][-1])
    second.load_state_dict(first.state_dict())
    for a, b in zip(first(x, masks)[0], second(x, masks)[0]):
        assert torch.equal(a, b)


def check_trace(module, channels):
    """Traces, and the trace computes the same on other features of the same lengths."""
    module = module.eval()
    x, masks = make_inputs((23, 12), channels)
    with torch.no_grad():
        traced = torch.jit.trace(module, (x, masks), check_trace=False)
        other, _ = make_inputs((23, 12), channels, seed=5)
        for a, b in zip(traced(other, masks)[0], module(other, masks)[0]):
            assert torch.allclose(a, b, atol=1e-5)


class OneVideo(nn.Module):
    """A component on the features (T, C) of one video, for export."""

    def __init__(self, part):
        super().__init__()
        self.part = part

    def forward(self, rows):
        return [table.rows for table in self.part(pack([rows]))]


def check_export(module, channels, shortest=64, prove=True, example=1000):
    """Exports at one length, and computes the same at every other.

    ``prove`` asks torch to prove that the graph holds for all lengths; else it checks at run time.
    """
    module = OneVideo(module.eval())
    steps = torch.export.Dim('steps', min=shortest, max=4096)
    # not known to the oldest torch that is supported, which cannot export what needs it
    options = {} if prove else dict(prefer_deferred_runtime_asserts_over_guards=True)
    program = torch.export.export(
        module, (torch.randn(example, channels), ), dynamic_shapes=dict(rows={0: steps}),
        strict=False, **options).module()
    for length in (shortest, shortest + 1, 1234, 2305):
        rows = torch.randn(length, channels)
        with torch.no_grad():
            for got, expected in zip(program(rows), module(rows)):
                assert got.shape == expected.shape
                # the plain operators of a graph sum in another order
                error = float((got - expected).abs().max() / expected.abs().max().clamp(min=1))
                assert error < 1e-4, error
