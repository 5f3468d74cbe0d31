"""The battery, over every registered backbone."""
import inspect

import pytest
import torch
from batteries import (
    check_bfloat16,
    check_export,
    check_gradients,
    check_half_precision,
    check_invariance,
    check_padding_is_of_a_video,
    check_shapes,
    check_state_dict,
    check_trace,
    make_inputs,
    make_videos,
    pad,
    randomise,
)
from mmaction.registry import MODELS

from cltdr_mm.models.backbones import PyramidBackbone
from cltdr_mm.structures import pack, unpack

CHANNELS, WIDTH = 6, 32
NAMES = sorted(
    name for name, cls in MODELS.module_dict.items()
    if inspect.isclass(cls) and issubclass(cls, PyramidBackbone))
OPTIONS = [(name, {}) for name in NAMES] + [
    ('GMG', dict(global_mixer='attention')),
    ('GMG', dict(global_mixer='fnet')),
    ('GMG', dict(global_mixer='gfnet', num_frequencies=9)),
    ('GMG', dict(global_mixer='afno', num_heads=8)),
    ('GMG', dict(granularities=('instant', 'local'))),
    ('GMG', dict(global_mixer='affine', fft_norm='backward', gate_act=None, stem_kernel_size=1,
                 kernel_size=3, scale_undropped=False, init_std=0.3)),
    ('GMG', dict(force_float32=True)),
    ('SGP', dict(window_size=5, k=2)),
    ('SGP', dict(window_size=7, stem_window_size=1, scale_undropped=False)),
    ('ActionFormer', dict(window_size=[3, 5, 7, -1], num_heads=2)),
    ('ActionFormer', dict(use_abs_pe=True, max_len=16)),
    *((name, dict(streams=[(2, 5), (1, 8), (3, 4)])) for name in NAMES),
    ('GMG', dict(use_abs_pe=True, max_len=64, embed_norm=False)),
    ('LoGo', dict(kernel_size=9)),
    ('ConvPyramid', dict(kernel_size=[1, 9, 3, 5], embed_kernel_size=9)),
    ('ActionMamba', dict(mixer='vim', kernel_size=6)),
    ('CausalTAD', dict(num_heads=2, expand=1, num_states=3)),
]
#: Shortest video that a trace of four levels holds for, and whether torch can prove that it does.
EXPORTS = [
    ('ConvPyramid', {}, 64, True),
    ('LoGo', {}, 64, True),
    ('SGP', dict(window_size=5), 64, True),
    ('TemporalMaxer', {}, 64, True),
    ('ActionFormer', dict(window_size=-1), 64, True),
    ('GMG', dict(global_mixer='attention'), 64, True),
    ('GMG', {}, 64, True),
    ('GMG', dict(global_mixer='affine'), 64, True),
    ('GMG', dict(global_mixer='fnet'), 64, True),
    ('GMG', dict(global_mixer='gfnet'), 64, True),
    ('GMG', dict(global_mixer='afno'), 64, True),
    # of few blocks: a scan is many operators
    ('ActionMamba', dict(arch=(1, 1, 1)), 64, False),
    ('CausalTAD', dict(arch=(1, 1, 1)), 64, False),
    # every level needs more than one block of 18 steps
    ('ActionFormer', {}, 160, False),
]
# Names that the battery must have found, so that an empty registry is no success.
assert set(NAMES) >= {'ActionFormer', 'ActionMamba', 'CausalTAD', 'ConvPyramid', 'GMG', 'LoGo',
                      'SGP', 'TemporalMaxer'}


def build(name, levels=4, **kwargs):
    kwargs.setdefault('arch', (2, 0 if name in ('LoGo', 'TemporalMaxer') else 2, levels - 1))
    return MODELS.build(dict(type=name, in_channels=CHANNELS, embed_dims=WIDTH, **kwargs))


def undropped(name, kwargs):
    """Arguments under which no path is dropped, so that each parameter counts in one step."""
    known = inspect.signature(MODELS.get(name)).parameters
    return dict(kwargs, drop_path=0.0) if 'drop_path' in known else kwargs


@pytest.mark.parametrize('levels', range(1, 9))
@pytest.mark.parametrize('name', NAMES)
def test_shapes(name, levels):
    module = randomise(build(name, levels))
    assert module.num_levels == levels
    assert module.out_channels == WIDTH
    check_shapes(module, CHANNELS, WIDTH, levels)


@pytest.mark.parametrize('name', NAMES)
def test_num_levels_instead_of_arch(name):
    module = MODELS.build(dict(type=name, in_channels=CHANNELS, embed_dims=WIDTH, num_levels=3))
    assert module.num_levels == 3
    assert len(module(*make_inputs((9, ), CHANNELS))[0]) == 3


@pytest.mark.parametrize(('name', 'kwargs'), OPTIONS)
def test_gradients(name, kwargs):
    check_gradients(randomise(build(name, **undropped(name, kwargs))), CHANNELS)


@pytest.mark.parametrize('dtype', [torch.float64, torch.float32])
@pytest.mark.parametrize(('name', 'kwargs'), OPTIONS)
def test_padding_and_batch_do_not_matter(name, kwargs, dtype):
    tolerance = 1e-10 if dtype == torch.float64 else 1e-5
    check_invariance(
        randomise(build(name, **kwargs)), CHANNELS, (37, 1, 18, 18, 5, 40, 18), tolerance, dtype)


@pytest.mark.parametrize('name', NAMES)
def test_deep_pyramid_over_short_videos(name):
    check_invariance(randomise(build(name, levels=8)), CHANNELS, (3, 1, 1, 2, 129), 1e-10)


@pytest.mark.parametrize('name', NAMES)
def test_as_many_channels_as_steps(name):
    """Which way a square input lies is never guessed."""
    check_invariance(randomise(build(name)), CHANNELS, (CHANNELS, CHANNELS, 3), 1e-10)
    module = randomise(build(name)).eval()
    x, masks = pad(make_videos((CHANNELS, ), CHANNELS), CHANNELS)
    rows = unpack(module(pack([x[0].t()]))[0])[0]
    assert torch.allclose(module(x, masks)[0][0], rows, atol=1e-6)
    assert not torch.allclose(module(x.transpose(1, 2), masks)[0][0], rows, atol=1e-2)


@pytest.mark.parametrize(('name', 'kwargs'), OPTIONS)
def test_seen_padding_does_not_reach_another_video(name, kwargs):
    check_padding_is_of_a_video(randomise(build(name, **kwargs)), CHANNELS)


@pytest.mark.parametrize(('name', 'kwargs'), OPTIONS)
def test_bfloat16_autocast(name, kwargs):
    check_bfloat16(randomise(build(name, **undropped(name, kwargs))), CHANNELS)


@pytest.mark.parametrize('name', NAMES)
def test_model_of_half_precision(name):
    check_half_precision(randomise(build(name)), CHANNELS)


@pytest.mark.parametrize(('name', 'kwargs'), OPTIONS)
def test_state_dict(name, kwargs):
    check_state_dict(lambda: build(name, **kwargs), CHANNELS)


@pytest.mark.parametrize('name', NAMES)
@pytest.mark.filterwarnings('ignore')
def test_trace(name):
    check_trace(randomise(build(name)), CHANNELS)


@pytest.mark.parametrize(('name', 'kwargs', 'shortest', 'prove'), EXPORTS)
@pytest.mark.filterwarnings('ignore')
def test_export_holds_for_every_length(name, kwargs, shortest, prove):
    check_export(randomise(build(name, **kwargs)), CHANNELS, shortest, prove)


@pytest.mark.parametrize('name', NAMES)
def test_training_drops_whole_paths(name):
    module = randomise(build(name))
    x, masks = make_inputs((20, 20), CHANNELS)
    drops = [m for m in module.modules() if type(m).__name__ == 'ScaledDropPath']
    outs = {float(module.train()(x, masks)[0][-1].detach().sum()) for _ in range(20)}
    assert (len(outs) > 1) == bool(drops)
    assert len({float(module.eval()(x, masks)[0][-1].detach().sum()) for _ in range(3)}) == 1


@pytest.mark.parametrize('name', ['GMG', 'SGP'])
def test_stem_drop_path(name):
    """It goes before drop_path in stem blocks, and there alone."""
    x, masks = make_inputs((20, 20), CHANNELS)

    def outcomes(**kwargs):
        torch.manual_seed(0)
        module = randomise(build(name, **kwargs)).train()
        runs = [module(x, masks)[0] for _ in range(12)]
        return [len({float(run[level].detach().sum()) for run in runs}) > 1 for level in (0, 3)]

    assert outcomes(drop_path=0.5) == [True, True]
    assert outcomes(drop_path=0.5, stem_drop_path=0.0) == [False, True]
    assert outcomes(drop_path=0.0, stem_drop_path=0.5)[0]
    assert outcomes(drop_path=0.0) == [False, False]


@pytest.mark.parametrize('name', ['GMG', 'SGP', 'ActionFormer'])
def test_scales_of_branches_that_are_never_dropped(name):
    """Published code has a factor only where a path may be dropped."""

    def scales(**kwargs):
        keys = build(name, **kwargs).state_dict()
        return {key.split('.')[0] for key in keys if key.endswith('.scale')}

    assert scales(drop_path=0.0) == scales(drop_path=0.1) == {'stem', 'branch'}
    assert scales(drop_path=0.0, scale_undropped=False) == set()
    assert scales(drop_path=0.1, scale_undropped=False) == {'stem', 'branch'}
    if name != 'ActionFormer':
        assert scales(drop_path=0.1, stem_drop_path=0.0, scale_undropped=False) == {'branch'}


def test_kernels_of_the_stem():
    def kernels(name, part, **kwargs):
        module = build(name, **kwargs)
        return [getattr(block, part).kernel_size[0] for block in (*module.stem, *module.branch)]

    assert kernels('GMG', 'convw', kernel_size=[3, 5, 7, 9]) == [3, 3, 5, 7, 9]
    assert kernels('GMG', 'convw', kernel_size=5, stem_kernel_size=1) == [1, 1, 5, 5, 5]
    assert kernels('SGP', 'psi', window_size=[3, 5, 7, 9]) == [3, 3, 5, 7, 9]
    assert kernels('SGP', 'psi', window_size=5, stem_window_size=1) == [1, 1, 5, 5, 5]
    assert kernels('SGP', 'convkw', window_size=5, stem_window_size=1, k=2) == [5, 5, 13, 13, 13]


@pytest.mark.parametrize(('name', 'convs'), [
    ('GMG', ('convw', 'fc')), ('SGP', ('psi', 'fc', 'convw', 'convkw', 'global_fc'))])
def test_init_std(name, convs):
    torch.manual_seed(0)
    module = MODELS.build(dict(type=name, in_channels=4, embed_dims=512, init_std=0.02))
    for part in convs:
        weight = getattr(module.branch[0], part).weight
        assert 0.017 < float(weight.detach().std()) < 0.023, part
    plain = MODELS.build(dict(type=name, in_channels=4, embed_dims=512)).branch[0].fc.weight
    assert float(plain.detach().abs().max()) > 0.9  # uniform between -1 and 1


def test_blocks_that_leave_autocast():
    """What the feed-forward network of a block computes in, within autocast."""
    x, masks = make_inputs((37, 20), CHANNELS)
    for force, expected in ((True, torch.float32), (False, torch.bfloat16)):
        module = randomise(build('GMG', force_float32=force)).eval()
        dtypes = set()
        for block in (*module.stem, *module.branch):
            block.mlp[0].register_forward_hook(lambda _, args, out, to=dtypes: to.add(out.dtype))
        with torch.autocast('cpu', dtype=torch.bfloat16):
            module(x, masks)
        assert dtypes == {expected}


def test_bad_arguments():
    with pytest.raises(TypeError, match='variant'):
        build('GMG', variant='release')
    with pytest.raises(TypeError, match='GMG has no argument.*colour'):
        build('GMG', colour='red')
    with pytest.raises(ValueError, match='arch'):
        build('SGP', arch=(2, 2))
    with pytest.raises(ValueError, match='arch'):
        build('SGP', arch=(0, 2, 5))
    with pytest.raises(ValueError, match='num_levels must be positive, got 0'):
        build('SGP', num_levels=0)
    with pytest.raises(ValueError, match='window_size must be one number or 4'):
        build('ActionFormer', window_size=[3, 5])
    with pytest.raises(ValueError, match='odd'):
        build('GMG', embed_kernel_size=4)
    with pytest.raises(ValueError, match='granularities'):
        build('GMG', granularities=())
    with pytest.raises(ValueError, match='granularities'):
        build('GMG', granularities=('global', 'galactic'))
    with pytest.raises(ValueError, match="global_mixer must be one of .'fft', .*got 'wavelet'"):
        build('GMG', global_mixer='wavelet')
    with pytest.raises(ValueError, match='fft_norm'):
        build('GMG', fft_norm='forward')
    with pytest.raises(ValueError, match='gate_act'):
        build('GMG', gate_act='gelu')
    with pytest.raises(TypeError, match="GMG: `filter` is gone.*global_mixer='affine'"):
        build('GMG', filter='affine')
    with pytest.raises(ValueError, match="mixer must be one of .*'dbm'.*, got 'mamba2'"):
        build('ActionMamba', mixer='mamba2')
    with pytest.raises(ValueError, match='64 channels do not split into 5 heads'):
        build('CausalTAD', num_heads=5)
    with pytest.raises(ValueError, match='input_dropout must lie in'):
        build('ActionMamba', input_dropout=1.)
    with pytest.raises(ValueError, match='norm_eps must be positive, got 0'):
        build('ActionMamba', norm_eps=0.)
    with pytest.raises(ValueError, match='no stem blocks'):
        build('TemporalMaxer', arch=(2, 1, 3))


@pytest.mark.parametrize('name, learns', [('GMG', True), ('SGP', False)])
def test_weights_that_start_at_zero(name, learns):
    """As published on THUMOS14: GMG leaves 0, the products of SGP have no gradient there."""
    module = build(name, init_std=0.)
    optimizer = torch.optim.Adam(module.parameters(), lr=1e-3)
    x, masks = make_inputs((18, 11), CHANNELS)
    for _ in range(3):
        optimizer.zero_grad()
        sum(out.square().sum() for out in module(x, masks)[0]).backward()
        optimizer.step()
    block = module.branch[0]
    convs = (block.fc, block.convw) if name == 'GMG' else (
        block.fc, block.convw, block.convkw, block.psi, block.global_fc)
    assert {bool(conv.weight.any()) for conv in convs} == {learns}


def test_bad_inputs():
    module = build('GMG')
    x, masks = make_inputs((18, 11), CHANNELS)
    with pytest.raises(ValueError, match='GMG takes features of 6 channels, got 5'):
        module(x[:, :5], masks)
    with pytest.raises(ValueError, match='GMG takes features of 6 channels, got 5'):
        module(pack([x[0, :5].t()]))
    with pytest.raises(ValueError, match=r'got \(2, 6, 18\) and \(2, 17\)'):
        module(x, masks[:, :-1])
    with pytest.raises(ValueError, match=r'got \(6, 18\)'):
        module(x[0], masks)
    masks[1] = False
    with pytest.raises(ValueError, match='sequence 1 of the batch has no valid step'):
        module(x, masks)


def count(name, **kwargs):
    return sum(p.numel() for p in MODELS.build(dict(type=name, **kwargs)).parameters())


def test_parameter_counts():
    """Table 8 of the CLTDR-GMG paper: 9.5 M with the FFT, 26.1 M with self-attention."""
    assert count('GMG', in_channels=2048, ffn_dims=768) == 9_548_544
    # 'Self-attention as in the transformer' brings its 4x feed-forward network along.
    assert round(count('GMG', in_channels=2048, global_mixer='attention') / 1e6, 1) == 26.0
    # The published code, and ActionFormer's encoder.
    published = count('GMG', in_channels=2048, ffn_dims=768, kernel_size=1, global_mixer='affine')
    assert round(published / 1e6, 1) == 9.5
    assert round(count('ActionFormer', in_channels=2048) / 1e6, 1) == 26.1


@pytest.mark.parametrize('name', NAMES)
def test_input_dropout_takes_whole_channels_of_a_video(name):
    """In training alone, and another choice for each video."""
    model = MODELS.build(dict(type=name, in_channels=40, embed_dims=WIDTH, arch=(1, 0, 1),
                              input_dropout=0.5))
    seen = []
    model.embd[0].register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    packed = pack([torch.rand(12, 40) + 1, torch.rand(30, 40) + 1])
    torch.manual_seed(0)
    for mode in (True, False):
        model.train(mode).forward_rows(packed)
    trained, tested = seen
    assert tested.equal(packed.rows)
    kept = []
    for video, length in enumerate((12, 30)):
        first = packed.layout.first[video]
        before, after = (rows[first:first + length] for rows in (packed.rows, trained))
        factors = after / before
        assert all(torch.isclose(one, one[0]).all() for one in factors.T)
        assert set(factors[0].round().tolist()) == {0., 2.}
        kept.append(factors[0] > 0)
    assert not kept[0].equal(kept[1])
    with pytest.raises(ValueError, match=r'input_dropout must lie in \[0, 1\), got 1'):
        MODELS.build(dict(type=name, in_channels=4, embed_dims=WIDTH, input_dropout=1))


def test_streams_are_projected_apart_and_laid_side_by_side():
    """Against the embedding of the same projections, computed before a backbone without streams."""
    streams = [(2, 5), (1, 8), (3, 4)]
    module = randomise(build('ConvPyramid', streams=streams)).eval()
    plain = MODELS.build(dict(type='ConvPyramid', in_channels=17, embed_dims=WIDTH,
                              arch=(2, 2, 3))).eval()
    state = module.state_dict()
    plain.load_state_dict({key: state[key] for key in plain.state_dict()})
    assert [key for key in state if key.startswith('proj')] == [
        f'proj.{i}.conv.{name}' for i in range(3) for name in ('weight', 'bias')]
    x, masks = make_inputs((21, 6), CHANNELS)
    parts = [torch.nn.functional.conv1d(part, proj.conv.weight, proj.conv.bias)
             for part, proj in zip(x.split([2, 1, 3], dim=1), module.proj)]
    with torch.no_grad():
        expected = plain(torch.cat(parts, dim=1) * masks[:, None], masks)[0]
        for one, other in zip(module(x, masks)[0], expected):
            torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


def test_a_missing_stream_is_named():
    module = build('ConvPyramid', streams=[(2, 5), (1, 8), (3, 4)])
    with pytest.raises(ValueError, match=r'takes features of 6 channels, got 3 \(2 \+ 1 \+ 3 of 3 '
                       r'streams; is missing: stream 3 \(3 channels\)\)'):
        module(*make_inputs((9, ), 3))
    for streams, message in (([(2, 5), (3, 4)], 'streams have 2 . 3 channels together, but '
                              'in_channels is 6'), ([6], 'pairs of channels'),
                             ([], 'pairs of channels'), ([(6, 0)], 'pairs of channels')):
        with pytest.raises(ValueError, match=message):
            build('ConvPyramid', streams=streams)
