"""Fusion of neighbouring levels against loops over channels and steps."""
import pytest
import torch
from batteries import randomise
from torch import nn

from cltdr_mm.models.heads.fusion import CrossLevelFusion, Upsample2x

CHANNELS = 6


@pytest.mark.parametrize('groups', [1, CHANNELS])
def test_upsampling_is_a_transposed_convolution(groups):
    """Values and gradients of torch's own operator, with its state dict."""
    ours = Upsample2x(CHANNELS, groups).double()
    theirs = nn.ConvTranspose1d(CHANNELS, CHANNELS, 3, stride=2, padding=1, output_padding=1,
                                groups=groups).double()
    theirs.load_state_dict(ours.state_dict())
    results = []
    for module in (ours, theirs):
        x = torch.randn(2, CHANNELS, 7, dtype=torch.float64,
                        generator=torch.Generator().manual_seed(0)).requires_grad_()
        out = module(x)
        assert out.shape == (2, CHANNELS, 14)
        (out * torch.arange(14)).sum().backward()
        results.append((out, x.grad, module.weight.grad, module.bias.grad))
    for a, b in zip(*results):
        assert torch.allclose(a, b, rtol=0, atol=1e-10)


def test_other_groups():
    with pytest.raises(ValueError, match='groups must be 1 or 6, got 2'):
        Upsample2x(CHANNELS, 2)


def make_levels(lengths=(8, 5), steps=8, levels=3):
    """Pyramid of videos with zeros in the padding."""
    generator = torch.Generator().manual_seed(0)
    feats, masks = [], []
    mask = torch.arange(steps) < torch.tensor(lengths)[:, None]
    for level in range(levels):
        at = mask[:, ::2**level]
        x = torch.randn(len(lengths), CHANNELS, at.shape[1], generator=generator,
                        dtype=torch.float64)
        feats.append(x * at[:, None])
        masks.append(at)
    return feats, masks


def reference(module, feats, masks, level, video, release):
    """Eq. 5 to 9 for one level of one video; C channels, T steps, tap by tap."""
    own, mask = feats[level][video], masks[level][video]
    channels, steps = own.shape
    fused = own.clone()
    for name, other in (('higher', level + 1), ('lower', level - 1)):
        if name not in module.sources or not 0 <= other < len(feats):
            continue
        source, layer = feats[other][video], module.resample[name]
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
                if release:
                    matrix = matrix.T if name == 'higher' else matrix
                    neighbour[:, t] += matrix @ source[:, at]
                else:
                    neighbour[:, t] += matrix[:, 0] * source[:, at]
        if not release:
            neighbour = neighbour * mask
        if module.fusion == 'attention':
            seen = torch.zeros(channels, dtype=torch.float64)
            conv, gate = module.own[name], module.gate[name]
            count = steps if release else int(mask.sum())
            for t in range(count):
                if release:
                    mine = conv.weight[:, :, 0] @ own[:, t] + conv.bias
                else:
                    mine = conv.bias + sum(
                        conv.weight[:, 0, tap] * own[:, t + tap - 1] for tap in range(3)
                        if 0 <= t + tap - 1 < steps)
                seen += (neighbour[:, t] + mine).clamp(min=0) / count
            if release:
                logit = gate.weight[:, :, 0] @ seen + gate.bias
            else:
                logit = gate.weight[:, 0, 0] * seen + gate.bias
            neighbour = neighbour * logit.sigmoid()[:, None]
        if module.fusion == 'concat':
            mix = module.mix[name]
            fused = mix.weight[:, :, 0] @ torch.cat([fused, neighbour]) + mix.bias[:, None]
        else:
            fused = fused + neighbour
    return fused if release else fused * mask


@pytest.mark.parametrize('variant', ['paper', 'release'])
@pytest.mark.parametrize('sources, fusion', [
    (('higher', ), 'attention'), (('lower', ), 'attention'), (('lower', 'higher'), 'attention'),
    (('higher', 'lower'), 'add'), (('higher', 'lower'), 'concat'), ((), 'add')])
@torch.no_grad()
def test_equations(variant, sources, fusion):
    module = randomise(CrossLevelFusion(CHANNELS, sources, fusion, variant)).double()
    feats, masks = make_levels()
    fused = module(feats, masks)
    assert len(fused) == 3
    for level in range(3):
        for video in range(2):
            expected = reference(module, feats, masks, level, video, variant == 'release')
            assert torch.allclose(fused[level][video], expected, rtol=0, atol=1e-10)
            if variant == 'paper':
                assert not fused[level][video][:, ~masks[level][video]].any()


def test_ends_of_the_pyramid():
    """Where a neighbour is missing it is left out."""
    feats, masks = make_levels()
    higher = randomise(CrossLevelFusion(CHANNELS, ('higher', ), 'add')).double()
    lower = randomise(CrossLevelFusion(CHANNELS, ('lower', ), 'add')).double()
    assert torch.equal(higher(feats, masks)[2], feats[2])
    assert torch.equal(lower(feats, masks)[0], feats[0])
    assert not torch.equal(lower(feats, masks)[2], feats[2])


def test_odd_lengths():
    """Coarser levels of odd length reach one step too far, which is cut."""
    feats, masks = make_levels((7, 5), 7)
    module = CrossLevelFusion(CHANNELS, ('higher', 'lower'), 'attention').double()
    assert [x.shape[-1] for x in module(feats, masks)] == [7, 4, 2]


def test_depthwise_parameters():
    """As table 15's 17.6 M ask for in the paper variant; full layers in the release."""
    def count(variant):
        return sum(p.numel() for p in CrossLevelFusion(CHANNELS, ('higher', ),
                                                       variant=variant).parameters())
    assert count('paper') == CHANNELS * (3 + 3 + 1) + 3 * CHANNELS
    assert count('release') == CHANNELS**2 * (3 + 1 + 1) + 3 * CHANNELS


@pytest.mark.parametrize('kwargs, message', [
    (dict(sources=('above', )), r"sources must be among .*got \['above'\]"),
    (dict(sources=(), fusion='mean'), "fusion must be .*got 'mean'"),
    (dict(sources=(), variant='draft'), "variant must be .*got 'draft'"),
])
def test_wrong_arguments(kwargs, message):
    with pytest.raises(ValueError, match=message):
        CrossLevelFusion(CHANNELS, **kwargs)
