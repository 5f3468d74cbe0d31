"""The battery, over every registered backbone."""
import inspect

import pytest
import torch
from batteries import (
    check_bfloat16,
    check_gradients,
    check_invariance,
    check_shapes,
    check_state_dict,
    check_trace,
    make_inputs,
    randomise,
)
from mmaction.registry import MODELS

from cltdr_mm.models.backbones import PyramidBackbone

CHANNELS, WIDTH = 6, 32
NAMES = sorted(
    name for name, cls in MODELS.module_dict.items()
    if inspect.isclass(cls) and issubclass(cls, PyramidBackbone))
RELEASE = ('ActionFormer', 'GMG', 'SGP', 'TemporalMaxer')
OPTIONS = [(name, {}) for name in NAMES] + [
    ('GMG', dict(global_mixer='attention')),
    ('GMG', dict(granularities=('instant', 'local'))),
    ('SGP', dict(window_size=5, k=2)),
    ('ActionFormer', dict(window_size=[3, 5, 7, -1], num_heads=2)),
    ('ActionFormer', dict(use_abs_pe=True, max_len=16)),
    ('GMG', dict(use_abs_pe=True, max_len=64, embed_norm=False)),
]
# Names that the battery must have found, so that an empty registry is no success.
assert set(NAMES) >= {'ActionFormer', 'ConvPyramid', 'GMG', 'LoGo', 'SGP', 'TemporalMaxer'}


def build(name, levels=4, **kwargs):
    default = inspect.signature(MODELS.get(name)).parameters['arch'].default
    kwargs.setdefault('arch', (2, default[1], levels - 1))
    return MODELS.build(dict(type=name, in_channels=CHANNELS, embed_dims=WIDTH, **kwargs))


@pytest.mark.parametrize('levels', range(1, 9))
@pytest.mark.parametrize('name', NAMES)
def test_shapes(name, levels):
    module = randomise(build(name, levels))
    assert module.num_levels == levels
    check_shapes(module, CHANNELS, WIDTH, levels)


@pytest.mark.parametrize(('name', 'kwargs'), OPTIONS)
def test_gradients(name, kwargs):
    # No path is dropped here, so that each parameter counts in this one step.
    if 'drop_path' in inspect.signature(MODELS.get(name)).parameters:
        kwargs = dict(kwargs, drop_path=0.0)
    check_gradients(randomise(build(name, **kwargs)), CHANNELS)


@pytest.mark.parametrize('dtype', [torch.float64, torch.float32])
@pytest.mark.parametrize(('name', 'kwargs'), OPTIONS)
def test_padding_and_batch_do_not_matter(name, kwargs, dtype):
    tolerance = 1e-10 if dtype == torch.float64 else 1e-5
    check_invariance(
        randomise(build(name, **kwargs)), CHANNELS, (37, 1, 18, 5, 40, 18), tolerance, dtype)


@pytest.mark.parametrize('name', NAMES)
def test_deep_pyramid_over_short_videos(name):
    check_invariance(randomise(build(name, levels=8)), CHANNELS, (3, 1, 2, 129), 1e-10)


@pytest.mark.parametrize(('name', 'kwargs'), OPTIONS)
def test_bfloat16_autocast(name, kwargs):
    if 'drop_path' in inspect.signature(MODELS.get(name)).parameters:
        kwargs = dict(kwargs, drop_path=0.0)
    check_bfloat16(randomise(build(name, **kwargs)), CHANNELS)


@pytest.mark.parametrize('name', NAMES)
def test_model_of_half_precision(name):
    """Without autocast, all parameters in bfloat16."""
    module = randomise(build(name)).eval()
    x, masks = make_inputs((37, 20), CHANNELS)
    expected = module(x, masks)[0]
    for got, ref in zip(module.bfloat16()(x.bfloat16(), masks)[0], expected):
        assert got.dtype == torch.bfloat16
        assert (got.float() - ref).norm() < 0.15 * ref.norm()


@pytest.mark.parametrize(('name', 'kwargs'), OPTIONS)
def test_state_dict(name, kwargs):
    check_state_dict(lambda: build(name, **kwargs), CHANNELS)


@pytest.mark.parametrize('name', NAMES)
@pytest.mark.filterwarnings('ignore')
def test_trace(name):
    check_trace(randomise(build(name)), CHANNELS)


@pytest.mark.parametrize('name', RELEASE)
def test_release_forward_and_gradients(name):
    module = randomise(build(name, variant='release', drop_path=0.0)
                       if name != 'TemporalMaxer' else build(name, variant='release'))
    x, masks = make_inputs((40, 21), CHANNELS)
    feats, out_masks = module.train()(x, masks)
    for level, (feat, mask) in enumerate(zip(feats, out_masks)):
        assert feat.shape == (2, WIDTH, -(-40 // 2**level))
        assert torch.equal(mask, masks[:, ::2**level])
    sum((feat * torch.randn_like(feat)).sum() for feat in feats).backward()
    for key, param in module.named_parameters():
        assert torch.isfinite(param.grad).all() and param.grad.abs().max() > 0, key


@pytest.mark.parametrize('name', ['LoGo', 'ConvPyramid'])
def test_no_release_variant(name):
    with pytest.raises(ValueError, match='release'):
        build(name, variant='release')


@pytest.mark.parametrize('name', NAMES)
def test_training_drops_whole_paths(name):
    module = randomise(build(name))
    x, masks = make_inputs((20, 20), CHANNELS)
    drops = [m for m in module.modules() if type(m).__name__ == 'ScaledDropPath']
    outs = {float(module.train()(x, masks)[0][-1].detach().sum()) for _ in range(20)}
    assert (len(outs) > 1) == bool(drops)
    assert len({float(module.eval()(x, masks)[0][-1].detach().sum()) for _ in range(3)}) == 1


@pytest.mark.parametrize('name', NAMES)
def test_masked_out_row(name):
    """A row without a valid step (a rank's filler) neither breaks nor changes the others."""
    module = randomise(build(name)).double().eval()
    x, masks = make_inputs((18, 11), CHANNELS, dtype=torch.float64)
    alone = module(x[:1], masks[:1])[0]
    masks[1] = False
    for feat, expected in zip(module(x, masks)[0], alone):
        assert torch.isfinite(feat).all()
        assert torch.allclose(feat[:1], expected, atol=1e-10)
        assert (feat[1] == 0).all()


def test_bad_arguments():
    with pytest.raises(ValueError, match='variant'):
        build('GMG', variant='published')
    with pytest.raises(ValueError, match='arch'):
        build('SGP', arch=(2, 2))
    with pytest.raises(ValueError, match='arch'):
        build('SGP', arch=(0, 2, 5))
    with pytest.raises(ValueError, match='window_size must be one number or 4'):
        build('ActionFormer', window_size=[3, 5])
    with pytest.raises(ValueError, match='odd'):
        build('GMG', embed_kernel_size=4)
    with pytest.raises(ValueError, match='granularities'):
        build('GMG', granularities=())
    with pytest.raises(ValueError, match='granularities'):
        build('GMG', granularities=('global', 'galactic'))
    with pytest.raises(ValueError, match='global_mixer'):
        build('GMG', global_mixer='wavelet')
    with pytest.raises(ValueError, match='fft_norm'):
        build('GMG', fft_norm='forward')


def test_bad_inputs():
    module = build('GMG')
    x, masks = make_inputs((18, 11), CHANNELS)
    with pytest.raises(ValueError, match=r'GMG takes \(batch, 6, steps\), got \(2, 5, 18\)'):
        module(x[:, :5], masks)
    with pytest.raises(ValueError, match='masks must be'):
        module(x, masks[:, :-1])


def count(name, **kwargs):
    return sum(p.numel() for p in MODELS.build(dict(type=name, **kwargs)).parameters())


def test_parameter_counts():
    """Table 8 of the CLTDR-GMG paper: 9.5 M with the FFT, 26.1 M with self-attention."""
    assert count('GMG', in_channels=2048, ffn_dims=768) == 9_548_544
    # 'Self-attention as in the transformer' brings its 4x feed-forward network along.
    assert round(count('GMG', in_channels=2048, global_mixer='attention') / 1e6, 1) == 26.0
    # The published code, and ActionFormer's encoder.
    release = count('GMG', in_channels=2048, ffn_dims=768, kernel_size=1, variant='release')
    assert round(release / 1e6, 1) == 9.5
    assert round(count('ActionFormer', in_channels=2048) / 1e6, 1) == 26.1


@pytest.mark.parametrize('name', ['GMG', 'SGP', 'ActionFormer'])
def test_scales_of_the_release_variant(name):
    """A factor exists where the published code has one: where a path may be dropped."""

    def scales(**kwargs):
        module = build(name, variant='release', **kwargs)
        return {key.split('.')[0] for key in module.state_dict() if key.endswith('.scale')}

    assert scales(drop_path=0.0) == set()
    assert scales(drop_path=0.1) == ({'stem', 'branch'} if name == 'ActionFormer' else {'branch'})
    paper = build(name, drop_path=0.0).state_dict()
    assert {key.split('.')[0] for key in paper if key.endswith('.scale')} == {'stem', 'branch'}
