"""Checks that every pyramid component passes, whatever it computes.

A component under test maps (x, masks) to (feats, masks) as backbones do; ``build()`` makes one.
"""
import copy

import torch
from torch import nn


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


def level_length(length, level):
    """Steps of a video at a level: halved, rounded up, again and again."""
    for _ in range(level):
        length = -(-length // 2)
    return length


def check_shapes(module, channels, width, levels, lengths=(37, 8, 1)):
    """Shapes, masks and zeros at padded steps."""
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


def check_invariance(module, channels, lengths, tolerance, dtype=torch.float64):
    """A video alone, without padding, against the same in a batch, padded, and shuffled."""
    module = copy.deepcopy(module).to(dtype).eval()
    module.requires_grad_(False)
    alone = {n: module(*make_inputs([n], channels, dtype=dtype))[0] for n in lengths}
    scale = max(float(feat.abs().max()) for feats in alone.values() for feat in feats)
    for order, extra in ((list(lengths), 0), (list(lengths)[::-1], 1), (list(lengths), 29)):
        x, masks = make_inputs(order, channels, max(order) + extra, garbage=True, dtype=dtype)
        feats, _ = module(x, masks)
        for row, length in enumerate(order):
            for level, expected in enumerate(alone[length]):
                got = feats[level][row, :, :expected.shape[-1]]
                error = float((got - expected[0]).abs().max()) / max(scale, 1)
                assert error < tolerance, f'length {length}, level {level}: {error}'


def check_gradients(module, channels, lengths=(37, 20)):
    """Every parameter is finite and counts; padded inputs do not."""
    module = module.train()
    module.zero_grad()
    x, masks = make_inputs(lengths, channels, steps=max(lengths) + 5)
    x.requires_grad_(True)
    feats, _ = module(x, masks)
    # Weights that differ from step to step: a plain sum is blind to what a norm removes.
    generator = torch.Generator().manual_seed(7)
    loss = sum((feat * torch.randn(feat.shape, generator=generator)).sum() for feat in feats)
    loss.backward()
    for name, param in module.named_parameters():
        assert param.grad is not None, f'{name} takes no part'
        assert torch.isfinite(param.grad).all(), f'{name} has a gradient that is not finite'
        assert param.grad.abs().max() > 0, f'{name} has a gradient of zero'
    assert torch.isfinite(x.grad).all()
    assert (x.grad.masked_select(~masks[:, None]) == 0).all()
    assert (x.grad.abs().amax(dim=(1, 2)) > 0).all()


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


def check_state_dict(build, channels):
    """Another instance with the state dict of the first computes the same."""
    first, second = randomise(build(), 1).eval(), randomise(build(), 2).eval()
    x, masks = make_inputs((19, 6), channels)
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
