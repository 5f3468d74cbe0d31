"""ActionMamba's and CausalTAD's encoders: sizes, start, decay, and the settings that are theirs."""
import math

import pytest
import torch
import torch.nn.functional as F
from batteries import make_inputs, make_videos, randomise
from mmaction.registry import MODELS

from cltdr_mm.engine.optim import takes_weight_decay
from cltdr_mm.models.layers import ChannelLayerNorm, Mamba
from cltdr_mm.models.layers.state_space import CausalConv
from cltdr_mm.structures import pack


def build(name, **kwargs):
    torch.manual_seed(0)
    return MODELS.build(dict(type=name, **kwargs))


def millions(module):
    return round(sum(p.numel() for p in module.parameters()) / 1e6, 3)


@pytest.mark.parametrize('name, options, encoder, embedding, block', [
    ('ActionMamba', dict(in_channels=2048), 15.382, 3.934, 1.635),
    ('ActionMamba', dict(in_channels=3200), 17.151, 5.704, 1.635),
    ('ActionMamba', dict(in_channels=2048, mixer='vim'), 16.661, 3.934, 1.818),
    ('ActionMamba', dict(in_channels=3200, mixer='vim'), 18.430, 5.704, 1.818),
    ('ActionMamba', dict(in_channels=3200, embed_dims=256), 5.569, 2.655, 0.416),
    ('ActionMamba', dict(in_channels=2048, embed_dims=256), 4.684, 1.770, 0.416),
    ('ActionMamba', dict(in_channels=1408, arch=(2, 2, 7)), 17.669, 2.951, 1.635),
    ('ActionMamba', dict(in_channels=3200, arch=(3, 0, 5)), 14.668, 6.491, 1.635),
    ('CausalTAD', dict(in_channels=2048), 48.924, 3.934, 6.427),
    ('CausalTAD', dict(in_channels=3200), 50.694, 5.704, 6.427),
    ('CausalTAD', dict(in_channels=3200, embed_dims=256), 14.025, 2.655, 1.624),
    ('CausalTAD', dict(in_channels=512, embed_dims=256), 11.961, 0.591, 1.624)])
def test_parameters_are_those_of_the_published_modules(name, options, encoder, embedding, block):
    with torch.device('meta'):
        module = MODELS.build(dict(type=name, **options))
    assert millions(module) == pytest.approx(encoder, abs=0.0011)
    assert round(millions(module.embd) + millions(module.embd_norm), 3) == pytest.approx(
        embedding, abs=0.0011)
    assert millions(module.branch[0]) == pytest.approx(block, abs=0.0011)


def mixers(module):
    return [part for part in module.modules() if isinstance(part, Mamba)]


@pytest.mark.parametrize('name, options', [
    ('ActionMamba', {}), ('ActionMamba', dict(mixer='vim')), ('CausalTAD', {})])
def test_starts_as_published(name, options):
    module = build(name, in_channels=8, embed_dims=64, num_levels=2, **options)
    assert len(mixers(module)) == 3
    for mixer in mixers(module):
        width = mixer.channels
        for path in mixer.sets:
            rates = getattr(mixer, f'A{path}_log').exp()
            assert torch.allclose(rates, torch.arange(1., 17).expand(width, 16))
            assert getattr(mixer, f'D{path}').eq(1).all()
            layer = getattr(mixer, f'dt_proj{path}')
            rank = math.ceil(64 / 16)
            assert layer.weight.shape == (width, rank)
            assert rank**-0.5 >= layer.weight.abs().max() > 0.9 * rank**-0.5
            steps = F.softplus(layer.bias)
            if path:
                assert layer.bias.eq(0).all()
            else:  # log-uniform
                assert steps.min() >= 0.00099 and steps.max() <= 0.101
                assert -5.3 < steps.log().mean() < -3.9
            assert getattr(mixer, f'conv1d{path}').bias.eq(0).all()
        if name == 'CausalTAD':
            assert mixer.qkv.bias.eq(0).all()
    for name, param in module.named_parameters():
        if name.endswith('drop_path.scale'):
            assert param.eq(1e-4).all()


@pytest.mark.parametrize('name, options', [
    ('ActionMamba', {}), ('ActionMamba', dict(mixer='vim')), ('CausalTAD', {})])
def test_what_is_decayed(name, options):
    """A_log and D too, as in the published trainings; biases, norms and factors are not."""
    module = build(name, in_channels=8, embed_dims=64, num_levels=2, **options)
    decayed, free = set(), set()
    for owner in module.modules():
        for name, param in owner.named_parameters(recurse=False):
            (decayed if takes_weight_decay(owner, name, param) else free).add(name)
    assert {'weight', 'A_log', 'D'} <= decayed <= {'weight', 'A_log', 'D', 'A_b_log', 'D_b'}
    assert free == {'weight', 'bias', 'scale'}  # weights of norms
    assert all(not takes_weight_decay(owner, 'weight', owner.weight)
               for owner in module.modules() if isinstance(owner, ChannelLayerNorm))
    if options:
        assert {'A_b_log', 'D_b'} <= decayed


@pytest.mark.parametrize('name', ['ActionMamba', 'CausalTAD', 'GMG'])
def test_norm_eps(name):
    """It is that of every channel LayerNorm, and of the whole localizer where that says so."""
    module = build(name, in_channels=8, embed_dims=32, num_levels=3, norm_eps=1e-3)

    def found(part):
        return {layer.eps for layer in part.modules() if isinstance(layer, ChannelLayerNorm)}

    assert found(module) == {1e-3}
    assert found(build(name, in_channels=8, embed_dims=32, num_levels=3)) == {1e-5}
    config = dict(
        type='SingleStageLocalizer', neck=dict(type='FPN1D'),
        backbone=dict(type=name, in_channels=8, embed_dims=32, num_levels=3),
        head=dict(type='ActionFormerHead', num_classes=2))
    model = MODELS.build(dict(config, norm_eps=1e-6))
    for part in (model.backbone, model.neck, model.head):
        assert found(part) == {1e-6}
    assert found(MODELS.build(config)) == {1e-5}
    with pytest.raises(ValueError, match='norm_eps must be positive, got -1'):
        MODELS.build(dict(config, norm_eps=-1))


def test_a_convolution_wider_than_the_gaps():
    """It sees the present and what came before, of its own sequence."""
    conv = randomise(CausalConv(5, 9)).double()
    videos = make_videos((12, 4, 30), 5, dtype=torch.float64)
    packed = pack(videos)
    out = packed.layout.blocks(conv(packed.rows[:, None], packed.layout)[:, 0])
    for video, (found, ) in zip(videos, out):
        expected = F.conv1d(F.pad(video.t(), (8, 0))[None], conv.weight, conv.bias, groups=5)
        assert torch.allclose(found.t(), expected[0], atol=1e-12)


@pytest.mark.parametrize('name', ['ActionMamba', 'CausalTAD'])
def test_both_directions_are_seen(name):
    """A change of one step reaches the first and the last of its video, and no other video."""
    module = randomise(build(name, in_channels=4, embed_dims=32, num_levels=1)).double().eval()
    videos = make_videos((40, 40), 4, dtype=torch.float64)
    before = module(pack(videos))[0]
    videos[0][20] += 1
    change = (module(pack(videos))[0].rows - before.rows).abs().amax(1)
    first, other = before.layout.blocks(change[:, None])[0][:, :, 0]
    assert (first > 0).all() and not other.any()


def test_dropping_channels_of_the_input():
    module = build('ActionMamba', in_channels=4, embed_dims=32, num_levels=1, drop_path=0.,
                   input_dropout=0.5)
    x, masks = make_inputs((9, ), 4)
    outs = {float(module.train()(x, masks)[0][0].detach().sum()) for _ in range(20)}
    assert 2 < len(outs) <= 16  # of four channels each there or not
