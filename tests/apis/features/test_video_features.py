import builtins
import json

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from torch import nn

from cltdr_mm.apis import TALInferencer, VideoFeatureExtractor
from cltdr_mm.apis.features.recognizers import pool
from cltdr_mm.datasets.videos.video_frames import read_frames
from cltdr_mm.utils import TALDataError

av = pytest.importorskip('av', reason='PyAV is not installed: pip install av')

RECOGNIZER_3D = dict(
    type='Recognizer3D',
    backbone=dict(type='ResNet3d', depth=18, pretrained=None, base_channels=8,
                  conv1_kernel=(3, 7, 7), conv1_stride_t=1, pool1_stride_t=1, norm_eval=False,
                  conv_cfg=dict(type='Conv3d'), inflate=((1, 1), (1, 1), (1, 1), (1, 1)),
                  pretrained2d=False, style='pytorch', zero_init_residual=False),
    data_preprocessor=dict(type='ActionDataPreprocessor', mean=[123.675, 116.28, 103.53],
                           std=[58.395, 57.12, 57.375], format_shape='NCTHW'))


def write_video(path, frames=50, rate=10, width=64, height=48, shade=lambda k: 4 * k):
    """Grey frames whose brightness counts them, compressed without loss of the count."""
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('mpeg4', rate=rate)
        stream.width, stream.height, stream.pix_fmt = width, height, 'yuv420p'
        stream.bit_rate = 4_000_000
        for k in range(frames):
            image = np.full((height, width, 3), shade(k), dtype=np.uint8)
            for packet in stream.encode(av.VideoFrame.from_ndarray(image, format='rgb24')):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path


@pytest.fixture
def recognizer():
    """A recognizer of MMAction2, which finds its data preprocessor in its own scope only."""
    init_default_scope('mmaction')
    torch.manual_seed(0)
    return MODELS.build(RECOGNIZER_3D).eval()


@pytest.fixture
def video(tmp_path):
    return write_video(tmp_path / 'clip.mp4')


class Mean(nn.Module):
    """A recognizer whose only channel is the mean brightness of a clip."""

    class Backbone(nn.Module):
        def forward(self, x):
            self.shape = tuple(x.shape)
            return x[:, :1].float()

    def __init__(self, format_shape='NCTHW'):
        super().__init__()
        self.backbone = self.Backbone()
        self.data_preprocessor = MODELS.build(
            dict(type='ActionDataPreprocessor', format_shape=format_shape))


def test_frames_come_once_each_and_in_order(video):
    frames = [(int(np.median(f)), f.shape, rate) for f, rate in read_frames(video, None, 32, 24)]
    assert len(frames) == 50
    np.testing.assert_allclose([f[0] for f in frames], 4 * np.arange(50), atol=3)
    assert frames[0][1:] == ((24, 24, 3), 10.0)


@pytest.mark.parametrize('fps', [5.0, 20.0, 7.0])
def test_resampled_frames_show_the_right_moment(video, fps):
    shades = [np.median(f) for f, _ in read_frames(video, fps, 32, 24)]
    assert abs(len(shades) - 5 * fps) <= 1
    moments = np.arange(len(shades)) / fps
    assert np.abs(moments - np.array(shades) / 4 / 10).max() <= 0.1 + 0.5 / fps


@pytest.mark.parametrize('layout', ['NCTHW', 'NCHW'])
def test_every_step_sees_its_window(video, layout):
    model = Mean(layout)
    extractor = VideoFeatureExtractor(model, clip_len=4, frame_interval=2, stride=3,
                                      short_side=32, crop_size=24, batch_size=4)
    feats, grid, duration = extractor(video)
    assert extractor.window == 7 and duration == 5.0
    assert feats.shape == ((50 - 7) // 3 + 1, 1) and feats.dtype == np.float32
    assert (grid.fps, grid.stride, grid.window, grid.num_steps) == (10.0, 3, 7, 15)
    # frames t*3, +2, +4, +6: their mean brightness is that of the window's middle
    np.testing.assert_allclose(feats[:, 0], 4 * (3 * np.arange(15) + 3), atol=3)
    # the middle frame's centre is half a frame after its start
    np.testing.assert_allclose(grid.to_seconds(np.arange(15)), (3 * np.arange(15) + 3.5) / 10)
    assert model.backbone.shape[1:] == ((3, 4, 24, 24) if layout == 'NCTHW' else (3, 24, 24))


def test_batches_do_not_matter_and_short_videos_have_one_step(video, tmp_path):
    def run(path, batch_size):
        return VideoFeatureExtractor(Mean(), clip_len=4, stride=3, short_side=32, crop_size=24,
                                     batch_size=batch_size)(path)

    np.testing.assert_array_equal(run(video, 1)[0], run(video, 64)[0])
    feats, grid, duration = run(write_video(tmp_path / 'short.mp4', frames=2), 8)
    assert feats.shape == (1, 1) and grid.num_steps == 1 and duration == 0.2
    np.testing.assert_allclose(feats, (0 + 4 + 4 + 4) / 4, atol=3)


def test_who_watches_is_told_how_far_it_is(video):
    told = []
    extractor = VideoFeatureExtractor(Mean(), clip_len=4, stride=4, short_side=32, crop_size=24,
                                      batch_size=3)
    extractor(video, told.append)
    np.testing.assert_allclose(told, [1.2, 2.4, 3.6, 4.8])


def test_a_real_recognizer_agrees_with_its_own_extract_feat(video, recognizer):
    extractor = VideoFeatureExtractor(recognizer, clip_len=8, stride=8, short_side=36, crop_size=32)
    feats, grid, _ = extractor(video)
    assert feats.shape == ((50 - 8) // 8 + 1, 64)
    frames = np.stack([f for f, _ in read_frames(video, None, 36, 32)])
    clip = torch.from_numpy(frames[8:16]).permute(3, 0, 1, 2)[None]
    from mmaction.structures import ActionDataSample
    data = recognizer.data_preprocessor(dict(inputs=[clip], data_samples=[ActionDataSample()]))
    with torch.no_grad():
        expected = recognizer.extract_feat(data['inputs'], stage='backbone')[0].mean((2, 3, 4))[0]
    np.testing.assert_allclose(feats[1], expected.numpy(), rtol=1e-4, atol=1e-5)


def test_video_to_segments(video, recognizer, cfg, weights, folder, tmp_path):
    cfg.model.backbone.in_channels = 64
    torch.manual_seed(1)
    model = MODELS.build(cfg.model)
    extractor = VideoFeatureExtractor(recognizer, clip_len=8, stride=2, short_side=36,
                                      crop_size=32)
    inferencer = TALInferencer(model, device='cpu', extractor=extractor, cfg=cfg)
    out = inferencer(video, picture_dir=str(tmp_path / 'p'))['predictions'][0]
    assert out['video_name'] == 'clip' and out['duration'] == 5.0 and out['detections']
    feats, grid, duration = extractor(video)
    again = inferencer(dict(feats=feats, video_name='clip', fps=10.0, stride=2, window=8,
                            duration=duration))['predictions'][0]
    assert again == {**out, 'video': None}  # an array has no file
    assert (tmp_path / 'p' / 'clip.png').is_file()
    for duration, good in ((5.2, True), (50.0, False)):
        (tmp_path / 'ann.json').write_text(json.dumps(dict(
            database=dict(clip=dict(duration=duration)))))
        if good:
            known = inferencer(video, annotations=tmp_path / 'ann.json')['predictions'][0]
            assert known == out, 'the length of the file itself is used'
        else:
            with pytest.raises(ValueError, match="clip.mp4: video 'clip': feature length"):
                inferencer(video, annotations=tmp_path / 'ann.json')
    wrong = TALInferencer(MODELS.build({**cfg.model, 'backbone': dict(
        cfg.model.backbone, in_channels=6)}), device='cpu', extractor=extractor, cfg=cfg)
    with pytest.raises(ValueError, match='clip.mp4: the feature extractor makes 64 channels'):
        wrong(video)


def test_pooling():
    x = torch.arange(24.0).reshape(2, 3, 2, 2)
    np.testing.assert_allclose(pool(x), x.mean((2, 3)))
    assert pool((x, x[:, :1])).shape == (2, 4) and pool(x[:, :, 0, 0]).shape == (2, 3)
    with pytest.raises(ValueError, match='tokens of shape'):
        pool(x[:, :, 0])


def test_what_cannot_work_is_said(tmp_path, monkeypatch):
    (tmp_path / 'broken.mp4').write_bytes(b'not a video' * 100)
    extractor = VideoFeatureExtractor(Mean(), clip_len=4, short_side=32, crop_size=24)
    with pytest.raises(ValueError, match='broken.mp4: the video cannot be decoded'):
        extractor(tmp_path / 'broken.mp4')
    with pytest.raises(ValueError, match='stride must be a whole number of frames, got 4.5'):
        VideoFeatureExtractor(Mean(), stride=4.5)
    with pytest.raises(ValueError, match='crop_size must be a whole number of pixels'):
        VideoFeatureExtractor(Mean(), crop_size=24.5)
    with pytest.raises(ValueError, match=r'min_read must lie in \[0, 1\], got 99'):
        VideoFeatureExtractor(Mean(), min_read=99)
    assert VideoFeatureExtractor(Mean(), stride=4.0).stride == 4
    with pytest.raises(ValueError, match='stride must be positive'):
        VideoFeatureExtractor(Mean(), stride=0)
    with pytest.raises(ValueError, match='crop_size 24 is larger'):
        VideoFeatureExtractor(Mean(), short_side=20, crop_size=24)
    real = builtins.__import__

    def without_av(name, *args, **kwargs):
        if name == 'av':
            raise ImportError('no av')
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, '__import__', without_av)
    with pytest.raises(ImportError, match='pip install av'):
        VideoFeatureExtractor(Mean())


def test_weights_must_be_those_of_the_backbone(recognizer, tmp_path):
    path, other = tmp_path / 'w.pth', tmp_path / 'other.pth'
    state = recognizer.state_dict()
    torch.save(dict(state_dict=dict(state, **{'cls_head.fc_cls.weight': torch.zeros(9)})), path)
    cfg = Config(dict(model=RECOGNIZER_3D, test_pipeline=[]))
    extractor = VideoFeatureExtractor(cfg, str(path), short_side=32, crop_size=32)
    loaded = extractor.model.state_dict()
    assert all(torch.equal(loaded[key], value) for key, value in state.items())
    with pytest.raises(ValueError, match='the config: a recognizer without weights makes features '
                                         'of random ones; give a checkpoint'):
        VideoFeatureExtractor(cfg, short_side=32, crop_size=32)
    state.pop('backbone.conv1.conv.weight')
    torch.save(dict(state_dict=state), other)
    for model in (cfg, recognizer):
        with pytest.raises(ValueError, match=r'other\.pth: state_dict: does not fit the backbone '
                                             r'of the recognizer: missing: backbone\.conv1'):
            VideoFeatureExtractor(model, str(other), short_side=32, crop_size=32)


SMALL = """model = dict(
    type='Recognizer2D', backbone=dict(type='ResNet', depth=18),
    cls_head=dict(type='TSNHead', num_classes=3, in_channels=512))"""


def test_weights_are_those_of_the_backbone(tmp_path):
    (tmp_path / 'r.py').write_text(SMALL)
    torch.manual_seed(1)
    init_default_scope('mmaction')
    model = MODELS.build(Config.fromfile(tmp_path / 'r.py').model)
    state = model.state_dict()
    state['cls_head.fc_cls.weight'] = torch.zeros(7, 512)  # other classes: nothing to features
    torch.save(dict(state_dict=state), tmp_path / 'good.pth')
    built = VideoFeatureExtractor(tmp_path / 'r.py', str(tmp_path / 'good.pth')).model
    for key, value in model.backbone.state_dict().items():
        assert torch.equal(built.backbone.state_dict()[key], value), key
    assert not built.training
    del state['backbone.conv1.conv.weight']
    torch.save(dict(state_dict=state), tmp_path / 'bad.pth')
    with pytest.raises(TALDataError, match=r'bad\.pth: state_dict: does not fit the backbone of '
                                           r'the recognizer: missing: backbone\.conv1'):
        VideoFeatureExtractor(tmp_path / 'r.py', str(tmp_path / 'bad.pth'))


@pytest.mark.parametrize('text, words', [
    ('a = 3', 'r.py: there is no `model`'),
    ("model = dict(type='GMG', in_channels=16, embed_dims=16)", 'the model is a GMG, and no r')])
def test_what_is_no_recognizer(tmp_path, text, words):
    (tmp_path / 'r.py').write_text(text)
    with pytest.raises(ValueError, match=words):
        VideoFeatureExtractor(tmp_path / 'r.py')
