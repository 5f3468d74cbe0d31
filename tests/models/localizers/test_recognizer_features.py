"""A CLTDR head on what the backbone of an MMAction2 recognizer makes of a video."""
import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.structures import InstanceData

from cltdr_mm.apis import VideoFeatureExtractor
from cltdr_mm.structures import TimeMajor


@pytest.fixture
def video(tmp_path):
    """Eight seconds at 10 fps; from 3 to 6 s a bright square moves."""
    av = pytest.importorskip('av', reason='writing a video needs PyAV')
    path = tmp_path / 'video.mp4'
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('mpeg4', rate=10)
        stream.width = stream.height = 32
        for index in range(80):
            image = np.full((32, 32, 3), 40, np.uint8)
            if 30 <= index < 60:
                image[8:24, (index % 16):(index % 16) + 16] = 230
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format='rgb24')))
        container.mux(stream.encode())
    return path


def test_cltdr_on_recognizer_features(video):
    torch.manual_seed(0)
    recognizer = MODELS.build(dict(
        type='Recognizer3D',
        backbone=dict(type='ResNet3dSlowOnly', depth=18, pretrained=None, base_channels=4,
                      norm_eval=False),
        data_preprocessor=MODELS.build(dict(
            type='ActionDataPreprocessor', mean=[128.] * 3, std=[64.] * 3,
            format_shape='NCTHW'))))
    extract = VideoFeatureExtractor(recognizer, clip_len=8, stride=2, short_side=32, crop_size=32)
    feats, grid, duration = extract(video)
    assert grid.num_steps == len(feats) == (80 - 8) // 2 + 1 and duration == 8

    channels = feats.shape[1]
    model = MODELS.build(dict(
        type='SingleStageLocalizer',
        backbone=dict(type='GMG', in_channels=channels, embed_dims=16, arch=(1, 1, 2),
                      ffn_dims=24),
        neck=dict(type='IdentityNeck', in_channels=16, num_levels=3),
        head=dict(type='CLTDRHead', num_classes=1, in_channels=16, num_bins=8,
                  regression_ranges=[(0, 4), (4, 8), (8, 10000)]),
        postprocessor=dict(type='TALPostProcessor', nms=dict(type='SoftNMS'))))
    sample = ActionDataSample(metainfo=dict(video_name='video', duration=duration, grid=grid))
    sample.gt_instances = InstanceData(
        segments=grid.to_grid(torch.tensor([[3., 6.]])), labels=torch.tensor([0]))
    inputs = [TimeMajor(torch.from_numpy(feats))]
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(60):
        losses = model.train()(inputs, [sample], 'loss')
        optimizer.zero_grad()
        (losses['loss_cls'] + losses['loss_reg']).backward()
        optimizer.step()
    with torch.no_grad():
        found = model.eval()(inputs, [sample], 'predict')[0].pred_instances
    # it finds the moving square again, in seconds
    assert found.segments[0].tolist() == pytest.approx([3., 6.], abs=0.5)
