"""Modules by an import path, and their weights; test_video_features has MMAction2's recognizers."""
import hashlib

import numpy as np
import pytest
import torch
from mmaction.apis import init_recognizer
from mmengine.config import Config

from cltdr_mm.apis import VideoFeatureExtractor
from cltdr_mm.apis.features.recognizers import is_import_path, pool

pytest.importorskip('av', reason='PyAV is not installed: pip install av')

MODULE = '''
import torch
from torch import nn


class Mean(nn.Module):
    """Mean colour, which needs no weights."""

    def forward(self, clips):
        assert clips.dtype == torch.float32 and 0 <= clips.min() and clips.max() <= 1
        return clips.mean((3, 4))  # (N, 3, T)


class Net(nn.Module):
    def __init__(self, width=5):
        super().__init__()
        self.conv = nn.Conv3d(3, width, 1)
        self.twice = nn.Identity()

    def forward(self, clips):
        return self.twice(self.twice(self.conv(clips)))


def loaded(seed, width=4):
    net = Net(width)
    for parameter in net.parameters():
        nn.init.constant_(parameter, seed)
    return net


def number():
    return 3


class Broken(nn.Module):
    def forward(self, clips):
        return clips.mean()
'''


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A module of one's own, which can be imported."""
    name = f'own_{hashlib.sha256(str(tmp_path).encode()).hexdigest()[:8]}'
    (tmp_path / f'{name}.py').write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    return name


def test_a_module_without_weights(own, films):
    extractor = VideoFeatureExtractor(f'{own}:Mean', clip_len=4, stride=2, short_side=32,
                                      crop_size=0)
    assert extractor.channels == 3 and extractor.settings['weights'] is None
    feats, grid, _ = extractor(films / 'a.mp4')
    assert feats.shape == (29, 3) and grid.fps == 10.0
    expected = (30 + 190 * 16 * 16 / 48 / 64) / 255
    np.testing.assert_allclose(feats.mean(), expected, atol=0.02)


def test_random_weights_are_refused_and_others_known_by_their_hash(own, tmp_path):
    with pytest.raises(ValueError, match=rf'{own}:Net: its weights are random; give a checkpoint'):
        VideoFeatureExtractor(f'{own}:Net')
    one, same, other = (VideoFeatureExtractor(f'{own}:loaded', module_args=dict(seed=seed))
                        for seed in (1.0, 1.0, 2.0))
    assert one.settings['weights'] == same.settings['weights'] != other.settings['weights']
    assert one.settings['module_args'] == dict(seed=1.0)
    state = one.model.backbone.state_dict()
    for content in (state, dict(state_dict=state)):
        torch.save(content, tmp_path / 'w.pth')
        made = VideoFeatureExtractor(f'{own}:Net', str(tmp_path / 'w.pth'),
                                     module_args=dict(width=4))
        assert all(torch.equal(made.model.backbone.state_dict()[key], state[key]) for key in state)
        assert made.settings['weights'] == dict(
            file='w.pth', sha256=hashlib.sha256((tmp_path / 'w.pth').read_bytes()).hexdigest())
    with pytest.raises(ValueError, match=r'w\.pth: state_dict: does not fit own_\w+:Net: .*conv'):
        VideoFeatureExtractor(f'{own}:Net', str(tmp_path / 'w.pth'))


@pytest.mark.parametrize('name, args, words', [
    ('gone_module:Net', {}, 'gone_module:Net: cannot be imported .*No module named'),
    ('{}:Gone', {}, "Gone: cannot be imported .*no attribute 'Gone'"),
    ('{}:Net', dict(depth=3), r"Net: cannot be made with the arguments {'depth': 3}"),
    ('{}:number', {}, 'number: must make a module of torch, made a int'),
    ('x3d-m', dict(depth=3), 'x3d-m: arguments are for modules'),
    ('gone', {}, 'gone: no config file and no preset'),
    ('gone.py', {}, 'gone.py: cannot be read')])
def test_what_is_no_module(own, name, args, words):
    with pytest.raises(ValueError, match=words):
        VideoFeatureExtractor(name.format(own), module_args=args)


def test_a_layer(own):
    net = f'{own}:loaded'
    made = VideoFeatureExtractor(net, module_args=dict(seed=1.0), layer='conv', short_side=32,
                                 crop_size=32)
    assert made.channels == 4 and made.settings['layer'] == 'conv'
    with pytest.raises(ValueError, match=r"the backbone has no layer 'cony', but 'conv'"):
        VideoFeatureExtractor(net, module_args=dict(seed=1.0), layer='cony')
    with pytest.raises(ValueError, match='layer twice runs 2 times on a clip'):
        VideoFeatureExtractor(net, module_args=dict(seed=1.0), layer='twice').channels  # noqa: B018
    with pytest.raises(ValueError, match=r'features must be \(N, C, ...\), got \(\)'):
        VideoFeatureExtractor(f'{own}:Broken').channels  # noqa: B018


VIT = dict(
    type='Recognizer3D', data_preprocessor=dict(type='ActionDataPreprocessor', mean=[127.5] * 3,
                                                std=[127.5] * 3, format_shape='NCTHW'),
    backbone=dict(type='VisionTransformer', img_size=32, patch_size=16, embed_dims=12, depth=2,
                  num_heads=2, num_frames=4))


@pytest.fixture
def transformer(tmp_path):
    """The config of a small one of MMAction2's, and its weights."""
    cfg = Config(dict(model=VIT))
    torch.manual_seed(0)
    model = init_recognizer(cfg, None, 'cpu')
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'checkpoints.pth')
    return cfg, model, tmp_path / 'checkpoints.pth'


def test_tokens_of_a_transformer_are_averaged(transformer, films):
    cfg, model, weights = transformer
    sizes = dict(clip_len=4, stride=4, short_side=32, crop_size=32, fps='own')
    tokens = []
    model.backbone.blocks[0].register_forward_hook(lambda *call: tokens.append(call[-1]))
    whole = VideoFeatureExtractor(model, **sizes)(films / 'c.mp4')[0]
    assert whole.shape == (7, 12) and tokens[0].shape == (7, 8, 12)
    first = VideoFeatureExtractor(cfg, str(weights), layer='blocks.0', **sizes)
    np.testing.assert_allclose(first(films / 'c.mp4')[0], tokens[0].mean(1), atol=1e-6)
    # of 4 x 12 channels: what they are, the recognizer does not say
    with pytest.raises(ValueError, match=r'tokens of shape \(7, 8, 48\); choose another layer'):
        VideoFeatureExtractor(cfg, str(weights), layer='blocks.0.mlp.layers.0', **sizes)(
            films / 'c.mp4')


def test_weights_may_have_an_address(transformer, tmp_path, monkeypatch):
    cfg, _, weights = transformer
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path))
    (tmp_path / 'checkpoints').mkdir()
    weights.rename(tmp_path / 'checkpoints' / 'vit.pth')  # downloaded before
    made = VideoFeatureExtractor(cfg, 'https://example.com/zoo/vit.pth?download=1')
    assert made.settings['weights']['file'] == 'vit.pth'
    assert made.settings['weights']['sha256'] == hashlib.sha256(
        (tmp_path / 'checkpoints' / 'vit.pth').read_bytes()).hexdigest()


def test_pooling_of_mvit_and_sequences():
    maps, token = torch.rand(2, 5, 2, 3, 3), torch.rand(2, 5)
    assert torch.equal(pool(([maps[:, :3], token[:, :3]], [maps, token])), token)
    sequence = torch.rand(2, 7, 5)
    assert torch.equal(pool(sequence, (1, 5)), sequence.mean(1))
    assert torch.equal(pool(sequence, (2, None)), sequence.mean(2))
    with pytest.raises(ValueError, match='got dict'):
        pool({})


def test_import_paths():
    assert is_import_path('a.b:C') and is_import_path('a:b.c')
    assert not any(map(is_import_path, ('a.py', 'C:/a.py', 'a', 'http://a:80', None)))
