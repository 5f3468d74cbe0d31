"""Modules by an import path, and their weights; test_video_features has MMAction2's recognizers."""
import hashlib

import numpy as np
import pytest
import torch
from torch import nn

from cltdr_mm.apis import VideoFeatureExtractor
from cltdr_mm.apis.recognizers import is_import_path, pool

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


def test_tokens_of_a_transformer_are_averaged(own):
    class Tokens(nn.Module):
        def __init__(self, embed_dims):
            super().__init__()
            self.backbone, self.data_preprocessor = nn.Module(), nn.Identity()
            self.backbone.embed_dims = embed_dims
            self.backbone.forward = lambda x: x
            self.data_preprocessor.forward = lambda data: dict(
                inputs=torch.arange(24.0).reshape(1, 1, 4, 6))

    made = VideoFeatureExtractor(Tokens(6), short_side=32, crop_size=32)
    assert made.channels == 6
    with pytest.raises(ValueError, match=r'tokens of shape \(1, 4, 6\); choose another layer'):
        VideoFeatureExtractor(Tokens(4), short_side=32, crop_size=32).channels  # noqa: B018


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
