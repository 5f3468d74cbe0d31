"""Every backbone, also over rows that are seen but not valid, against loops in float64.

And the loops notice errors.
"""
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from batteries import make_videos, randomise
from mmaction.registry import MODELS

from cltdr_mm.structures import pack, unpack

sys.path.insert(0, str(Path(__file__).parent))
import references as ref  # noqa: E402, I001

CHANNELS, WIDTH = 5, 32


def build(name, arch=(2, 1, 2), seed=0, **kwargs):
    cfg = dict(type=name, in_channels=CHANNELS, embed_dims=WIDTH, arch=arch, **kwargs)
    if name not in ('TemporalMaxer', ):
        cfg.setdefault('ffn_dims', 24)
    return randomise(MODELS.build(cfg), seed).double().eval()


def params(module):
    return {key: value.detach().numpy() for key, value in module.state_dict().items()}


def reference(module, lengths, block, seen=None, **kwargs):
    """One pyramid a video, of the steps that are seen: all valid ones, or ``seen`` of each."""
    pyramids = []
    for video in make_videos(lengths, CHANNELS, dtype=torch.float64):
        steps = len(video) if seen is None else seen
        x = np.zeros((CHANNELS, steps))
        x[:, :len(video)] = video.t().numpy()
        pyramids.append(ref.pyramid(
            x, np.arange(steps) < len(video), params(module), module.arch, block, **kwargs))
    return pyramids


def worst(module, expected, lengths, seen=None):
    """Largest deviation of a batch of rows from one expected pyramid a video, at valid steps."""
    videos = make_videos(lengths, CHANNELS, dtype=torch.float64)
    tables = module(pack(videos, None if seen is None else [seen] * len(videos)))
    error = 0.0
    for number, table in enumerate(tables):
        feats, masks = unpack(table)
        for row, levels in enumerate(expected):
            valid = int(masks[row].sum())
            got = feats[row, :, :valid].detach().numpy()
            error = max(error, float(np.abs(got - levels[number][:, :valid]).max()))
    return error


def identity(v):
    return v


CASES = [
    ('GMG', {}, ref.gmg_block, {}),
    ('GMG', dict(kernel_size=[1, 5, 3]), ref.gmg_block, {}),
    ('GMG', dict(kernel_size=[3, 9, 5], stem_kernel_size=1), ref.gmg_block, {}),
    ('GMG', dict(gate=False), ref.gmg_block, dict(gate=False)),
    ('GMG', dict(gate_act=None), ref.gmg_block, dict(gate_function=identity)),
    ('GMG', dict(fft_norm='backward'), ref.gmg_block, dict(ortho=False)),
    ('GMG', dict(global_mixer='affine'), ref.gmg_block, dict(mixer='affine')),
    ('GMG', dict(global_mixer='affine', fft_norm='backward'), ref.gmg_block,
     dict(mixer='affine', ortho=False)),
    ('GMG', dict(global_mixer='attention', num_heads=2), ref.gmg_block, dict(heads=2)),
    *(('GMG', dict(global_mixer=name, fft_norm=norm, **sizes), ref.gmg_block,
       dict(mixer=name, ortho=norm == 'ortho'))
      for norm in ('backward', 'ortho') for name, sizes in (
          ('fnet', {}), ('gfnet', dict(num_frequencies=4)), ('gfnet', dict(num_frequencies=17)),
          ('afno', dict(num_heads=8)))),
    ('GMG', dict(drop_path=0.0, scale_undropped=False, force_float32=True), ref.gmg_block, {}),
    *(('GMG', dict(granularities=names), ref.gmg_block, dict(granularities=names)) for names in (
        ('instant', ), ('local', ), ('global', ), ('instant', 'local'), ('instant', 'global'),
        ('local', 'global'))),
    ('SGP', {}, ref.sgp_block, {}),
    ('SGP', dict(window_size=[3, 1, 5], k=1.3), ref.sgp_block, {}),
    ('SGP', dict(window_size=7, stem_window_size=1, stem_drop_path=0.0, scale_undropped=False),
     ref.sgp_block, {}),
    ('LoGo', dict(arch=(2, 0, 3)), ref.logo_block, {}),
    ('LoGo', dict(arch=(1, 1, 2), kernel_size=5), ref.logo_block, {}),
    ('ActionFormer', dict(window_size=3), ref.transformer_block, dict(window=3)),
    ('ActionFormer', dict(window_size=-1, num_heads=2), ref.transformer_block, dict(heads=2)),
    ('TemporalMaxer', dict(arch=(3, 0, 3)), ref.pool_block, {}),
    ('ConvPyramid', {}, ref.conv_block, {}),
    ('ConvPyramid', dict(kernel_size=9), ref.conv_block, {}),
    ('GMG', dict(embed_norm=False, embed_kernel_size=5), ref.gmg_block, {}),
]


@pytest.mark.parametrize(('name', 'kwargs', 'block', 'ref_kwargs'), CASES)
def test_equations(name, kwargs, block, ref_kwargs):
    module = build(name, **kwargs)
    lengths = (11, 7, 7, 1)
    expected = reference(module, lengths, block, **ref_kwargs)
    assert max(np.abs(level).max() for levels in expected for level in levels) > 0.1
    assert worst(module, expected, lengths) < 1e-9


#: Arguments of the published code.
PUBLISHED_GMG = dict(global_mixer='affine', gate_act=None, kernel_size=3, stem_kernel_size=1,
                     stem_drop_path=0.0, scale_undropped=False)
AFFINE = dict(mixer='affine', gate_function=identity)
PADDED_CASES = [
    ('GMG', PUBLISHED_GMG, ref.gmg_block, AFFINE),
    ('GMG', dict(PUBLISHED_GMG, drop_path=0.0), ref.gmg_block, AFFINE),
    ('GMG', dict(PUBLISHED_GMG, gate=False), ref.gmg_block, dict(AFFINE, gate=False)),
    ('GMG', {}, ref.gmg_block, {}),
    ('GMG', dict(global_mixer='attention', num_heads=2), ref.gmg_block, dict(heads=2)),
    *(('GMG', dict(global_mixer=name), ref.gmg_block, dict(mixer=name))
      for name in ('fnet', 'gfnet', 'afno')),
    ('SGP', dict(k=3), ref.sgp_block, {}),
    ('SGP', dict(window_size=5, stem_window_size=1, scale_undropped=False), ref.sgp_block, {}),
    ('ActionFormer', dict(window_size=5), ref.transformer_block, dict(window=5)),
    ('ActionFormer', dict(window_size=1, drop_path=0.0, scale_undropped=False),
     ref.transformer_block, {}),
    ('TemporalMaxer', dict(arch=(2, 0, 3)), ref.pool_block, {}),
    ('LoGo', dict(arch=(2, 0, 3)), ref.logo_block, {}),
]


@pytest.mark.parametrize(('name', 'kwargs', 'block', 'ref_kwargs'), PADDED_CASES)
def test_padding_that_is_seen(name, kwargs, block, ref_kwargs):
    """Computed with, and zeroed where the loops multiply by the mask: there and nowhere else."""
    module = build(name, **kwargs)
    lengths = (16, 9, 3)
    expected = reference(module, lengths, block, seen=16, **ref_kwargs)
    assert worst(module, expected, lengths, seen=16) < 1e-9
    # and it matters: the same videos without padding come out otherwise
    assert worst(module, expected, lengths) > 1e-3


@pytest.mark.parametrize('mistake', [
    dict(ortho=False),
    dict(gate_function=identity),
    dict(gate=False),
    dict(granularities=('instant', 'local')),
    dict(granularities=('local', 'global')),
    dict(granularities=('instant', 'global')),
    dict(mixer='fnet'),
])
def test_reference_notices_a_wrong_gate_or_a_missing_view(mistake):
    module = build('GMG')
    wrong = reference(module, (11, 7), ref.gmg_block, **mistake)
    assert worst(module, wrong, (11, 7)) > 1e-3


def test_reference_notices_a_gate_that_has_no_activation():
    module = build('GMG', **PUBLISHED_GMG)
    wrong = reference(module, (16, 9), ref.gmg_block, 16, **dict(AFFINE, gate_function=ref.relu))
    assert worst(module, wrong, (16, 9), seen=16) > 1e-3


@pytest.mark.parametrize('name', [
    'drop_path_out.scale', 'drop_path_mlp.scale', 'gn.bias', 'ln.bias', 'global_mixer.conv1.bias',
    'global_mixer.conv2.bias', 'fc.bias', 'convw.bias', 'mlp.0.bias', 'mlp.2.bias'
])
def test_reference_notices_a_missing_parameter(name):
    module = build('GMG')
    right = reference(module, (11, ), ref.gmg_block)
    with torch.no_grad():
        dict(module.branch[0].named_parameters())[name].zero_()
    assert worst(module, right, (11, )) > 1e-3


@pytest.mark.parametrize('seen', [None, 16])
@pytest.mark.parametrize('max_len', [20, 12, 5])
def test_position_encoding(seen, max_len):
    """A sequence that sees more steps than the table has gets it stretched to what it sees."""
    module = build('ActionFormer', window_size=3, use_abs_pe=True, max_len=max_len)
    lengths, kwargs = (16, 9), dict(window=3, max_len=max_len)
    expected = reference(module, lengths, ref.transformer_block, seen, **kwargs)
    # The module keeps its table in float32, as published.
    assert worst(module, expected, lengths, seen) < 1e-5
