"""Every backbone, both variants, against loops in float64; and the loops notice errors."""
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from batteries import make_inputs, randomise
from mmaction.registry import MODELS

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


def worst(module, expected, lengths, steps):
    """Largest deviation of a padded batch from one expected pyramid a video, at valid steps."""
    x, masks = make_inputs(lengths, CHANNELS, steps, dtype=torch.float64)
    feats, out_masks = module(x, masks)
    error = 0.0
    for row in range(len(lengths)):
        for feat, mask, level in zip(feats, out_masks, expected[row]):
            mask = mask[row].numpy()
            got = feat[row].detach().numpy()[:, :level.shape[1]]
            error = max(error, float(np.abs((got - level) * mask[:level.shape[1]]).max()))
    return error


def paper_reference(module, lengths, block, **kwargs):
    """Each video alone and without padding: the equations know none."""
    pyramids = []
    for length in lengths:
        x, _ = make_inputs([length], CHANNELS, dtype=torch.float64)
        pyramids.append(ref.pyramid(
            x[0].numpy(), np.ones(length, bool), params(module), module.arch, block, **kwargs))
    return pyramids


def release_reference(module, lengths, steps, block, **kwargs):
    """Each video with its padding."""
    x, masks = make_inputs(lengths, CHANNELS, steps, dtype=torch.float64)
    return [
        ref.pyramid(x[row].numpy(), masks[row].numpy(), params(module), module.arch, block,
                    **kwargs) for row in range(len(lengths))
    ]


CASES = [
    ('GMG', {}, ref.gmg_block, {}),
    ('GMG', dict(kernel_size=[1, 5, 3]), ref.gmg_block, {}),
    ('GMG', dict(gate=False), ref.gmg_block, dict(gate=False)),
    ('GMG', dict(fft_norm='ortho'), ref.gmg_block, dict(ortho=True)),
    ('GMG', dict(global_mixer='attention', num_heads=2), ref.gmg_block, dict(heads=2)),
    *(('GMG', dict(granularities=names), ref.gmg_block, dict(granularities=names)) for names in (
        ('instant', ), ('local', ), ('global', ), ('instant', 'local'), ('instant', 'global'),
        ('local', 'global'))),
    ('SGP', {}, ref.sgp_block, {}),
    ('SGP', dict(window_size=[3, 1, 5], k=1.3), ref.sgp_block, {}),
    ('LoGo', dict(arch=(2, 0, 3)), ref.logo_block, {}),
    ('LoGo', dict(arch=(1, 1, 2), kernel_size=5), ref.logo_block, {}),
    ('ActionFormer', dict(window_size=3), ref.transformer_block, dict(window=3)),
    ('ActionFormer', dict(window_size=-1, num_heads=2), ref.transformer_block, dict(heads=2)),
    ('TemporalMaxer', dict(arch=(3, 0, 3)), ref.pool_block, {}),
    ('ConvPyramid', {}, ref.conv_block, {}),
    ('GMG', dict(embed_norm=False, embed_kernel_size=5), ref.gmg_block, {}),
]


@pytest.mark.parametrize(('name', 'kwargs', 'block', 'ref_kwargs'), CASES)
def test_paper_variant(name, kwargs, block, ref_kwargs):
    module = build(name, **kwargs)
    lengths = (11, 7, 1)
    expected = paper_reference(module, lengths, block, **ref_kwargs)
    assert max(np.abs(level).max() for levels in expected for level in levels) > 0.1
    assert worst(module, expected, lengths, steps=14) < 1e-9


RELEASE_CASES = [
    ('GMG', {}, ref.gmg_block, dict(release=True)),
    ('GMG', dict(kernel_size=3, drop_path=0.0), ref.gmg_block, dict(release=True)),
    ('GMG', dict(gate=False), ref.gmg_block, dict(release=True, gate=False)),
    ('SGP', dict(k=3), ref.sgp_block, {}),
    ('SGP', dict(window_size=5, drop_path=0.0), ref.sgp_block, {}),
    ('ActionFormer', dict(window_size=5), ref.transformer_block, dict(window=5)),
    ('ActionFormer', dict(window_size=1, drop_path=0.0), ref.transformer_block, {}),
    ('TemporalMaxer', dict(arch=(2, 0, 3)), ref.pool_block, {}),
]


@pytest.mark.parametrize(('name', 'kwargs', 'block', 'ref_kwargs'), RELEASE_CASES)
def test_release_variant(name, kwargs, block, ref_kwargs):
    module = build(name, variant='release', **kwargs)
    lengths = (16, 9, 3)
    expected = release_reference(module, lengths, 16, block, **ref_kwargs)
    assert worst(module, expected, lengths, steps=16) < 1e-9


@pytest.mark.parametrize(('name', 'block'), [('GMG', ref.gmg_block), ('SGP', ref.sgp_block),
                                             ('ActionFormer', ref.transformer_block),
                                             ('TemporalMaxer', ref.pool_block)])
def test_release_leaks_where_the_published_code_does(name, block):
    kwargs = dict(window_size=3) if name == 'ActionFormer' else {}
    kwargs.update(arch=(2, 0, 3)) if name == 'TemporalMaxer' else None
    module = build(name, variant='release', **kwargs)
    ref_kwargs = dict(release=True) if name == 'GMG' else {}
    ref_kwargs.update(window=3) if name == 'ActionFormer' else None
    without_padding = paper_reference(module, (9, ), block, **ref_kwargs)
    assert worst(module, without_padding, (9, ), steps=9) < 1e-9
    assert worst(module, without_padding, (9, ), steps=16) > 1e-3


@pytest.mark.parametrize('mistake', [
    dict(ortho=True),
    dict(gate_function=lambda v: v),
    dict(gate=False),
    dict(granularities=('instant', 'local')),
    dict(granularities=('local', 'global')),
    dict(granularities=('instant', 'global')),
])
def test_reference_notices_a_wrong_gate_or_a_missing_view(mistake):
    module = build('GMG')
    wrong = paper_reference(module, (11, 7), ref.gmg_block, **mistake)
    assert worst(module, wrong, (11, 7), steps=12) > 1e-3


def test_reference_notices_a_gate_in_the_release_variant():
    module = build('GMG', variant='release')
    wrong = release_reference(
        module, (16, 9), 16, ref.gmg_block, release=True, gate_function=ref.relu)
    assert worst(module, wrong, (16, 9), steps=16) > 1e-3


@pytest.mark.parametrize('name', [
    'drop_path_out.scale', 'drop_path_mlp.scale', 'gn.bias', 'ln.bias', 'global_mixer.conv1.bias',
    'global_mixer.conv2.bias', 'fc.bias', 'convw.bias', 'mlp.0.bias', 'mlp.2.bias'
])
def test_reference_notices_a_missing_parameter(name):
    module = build('GMG')
    right = paper_reference(module, (11, ), ref.gmg_block)
    with torch.no_grad():
        dict(module.branch[0].named_parameters())[name].zero_()
    assert worst(module, right, (11, ), steps=12) > 1e-3


@pytest.mark.parametrize('variant', ['paper', 'release'])
@pytest.mark.parametrize('max_len', [20, 12, 5])
def test_position_encoding(variant, max_len):
    module = build(
        'ActionFormer', window_size=3, use_abs_pe=True, max_len=max_len, variant=variant)
    lengths, kwargs = (16, 9), dict(window=3, max_len=max_len)
    if variant == 'paper':
        expected = paper_reference(module, lengths, ref.transformer_block, **kwargs)
    else:
        expected = release_reference(module, lengths, 16, ref.transformer_block, **kwargs)
    # The module keeps its table in float32, as published.
    assert worst(module, expected, lengths, steps=16) < 1e-5
