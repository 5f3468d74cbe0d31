"""A model that reads frames takes videos: as the Runner, window by window, in bounded memory."""
import json
import weakref
from pathlib import Path

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS, TRANSFORMS
from mmcv.transforms import BaseTransform
from mmengine.config import Config
from mmengine.runner import Runner
from numbered_videos import CLASSES, VideoSet, steady, write

from cltdr_mm.apis import TALInferencer
from cltdr_mm.utils import TALDataError

pytest.importorskip('av', reason='PyAV is not installed: pip install av')

FRONT = dict(
    type='ClipFront', clip_len=8, frames_per_step=2, backbone=dict(
        type='ResNet3d', depth=34, pretrained=None, num_stages=1, base_channels=8,
        out_indices=(0, ), spatial_strides=(1, ), temporal_strides=(1, ), dilations=(1, ),
        inflate=(1, )))
PIPELINE = [dict(type='SampleTALFrames'), dict(type='LoadTALFrames', short_side=20),
            dict(type='CenterCrop', crop_size=16), dict(type='PackTALInputs')]


@TRANSFORMS.register_module()
class CountHeldFrames(BaseTransform):
    """Knows how many frames are held anywhere, as arrays or in tensors, and the most ever."""

    held = most = 0

    @classmethod
    def add(cls, thing, frames):
        cls.held += frames
        cls.most = max(cls.most, cls.held)
        weakref.finalize(thing, cls.drop, frames)

    @classmethod
    def drop(cls, frames):
        cls.held -= frames

    def transform(self, results):
        if 'imgs' in results:
            for image in results['imgs']:
                self.add(image, 1)
        else:
            self.add(results['inputs'], results['inputs'].shape[1])
        return results


@pytest.fixture
def videos(tmp_path):
    made = VideoSet(tmp_path)
    for entry in made.database.values():
        entry['subset'] = 'test'
    return made


@pytest.fixture
def cfg(videos, tmp_path):
    """Of an end-to-end model with windows of 16 steps, 64 frames."""
    return Config(dict(
        default_scope='mmaction', work_dir=str(tmp_path / 'work'), experiment_name=tmp_path.name,
        model=dict(
            type='EndToEndLocalizer', front=FRONT,
            backbone=dict(type='GMG', embed_dims=16, arch=(1, 1, 2), ffn_dims=24),
            head=dict(type='CLTDRHead', num_classes=2, num_bins=4)),
        test_cfg=dict(type='TestLoop'),
        test_dataloader=dict(
            batch_size=2, num_workers=0, collate_fn=dict(type='pseudo_collate'),
            sampler=dict(type='DefaultSampler', shuffle=False),
            dataset=videos.settings(test_mode=True, frames_per_step=2, pipeline=PIPELINE,
                                    window=dict(size=16, overlap=0.5))),
        test_evaluator=dict(
            type='TALMetric', ann_file=str(tmp_path / 'ann.json'), protocol='thumos14',
            out_dir=str(tmp_path / 'runner'), postprocessor=dict(
                type='TALPostProcessor', nms=dict(type='SoftNMS', sigma=0.5), max_per_video=30,
                min_score=1e-4))))


@pytest.fixture
def weights(cfg, tmp_path):
    torch.manual_seed(5)
    model = MODELS.build(cfg.model)
    for parameter in model.parameters():
        parameter.data += 0.2 * torch.randn_like(parameter)
    path = tmp_path / 'checkpoint.pth'
    torch.save(dict(state_dict=model.state_dict(), meta=dict(
        dataset_meta=dict(classes=CLASSES), cfg=cfg.pretty_text)), path)
    return str(path)


@pytest.mark.parametrize('batch_size', [1, 3])
def test_predictions_are_the_runners(videos, cfg, weights, batch_size):
    runner = Runner.from_cfg(cfg.copy())
    runner.load_checkpoint(weights)
    runner.test()
    path = Path(cfg.test_evaluator.out_dir) / 'detections.json'
    expected = json.loads(path.read_text())['results']
    (videos.root / 'ann.json').unlink()  # rates and durations are the files' own
    out = TALInferencer(cfg, weights, device='cpu')(str(videos.root / 'videos'),
                                                    batch_size=batch_size)
    assert [p['video_name'] for p in out['predictions']] == ['v0', 'v1', 'v2']
    for prediction in out['predictions']:
        found, wanted = prediction['detections'], expected[prediction['video_name']]
        assert len(found) == len(wanted) == 30
        for key, tolerance in (('score', 1e-5), ('segment', 1e-3)):
            np.testing.assert_allclose([d[key] for d in found], [d[key] for d in wanted],
                                       atol=tolerance)
        assert prediction['fps'] == 25
    v1 = out['predictions'][1]
    assert v1['duration'] == pytest.approx(8.4) and v1['video'].endswith('v1.mp4')
    assert max(d['segment'][1] for d in v1['detections']) > 7, 'the last window counts'


def test_an_hour_is_held_window_by_window(videos, cfg, weights, tmp_path):
    hour = write(tmp_path / 'hour.mp4', steady(3600, 1000), codec='mpeg4',
                 image=lambda k: np.full((16, 16, 3), k % 250, np.uint8))
    pipeline = [PIPELINE[0], dict(type='LoadTALFrames'), dict(type='CountHeldFrames'),
                PIPELINE[-1], dict(type='CountHeldFrames')]
    cfg.test_dataloader.dataset.update(pipeline=pipeline, window=dict(size=32, overlap=0.25))
    CountHeldFrames.held = CountHeldFrames.most = 0
    prediction, = TALInferencer(cfg, weights, device='cpu')(hour)['predictions']
    assert prediction['duration'] == 3600 and prediction['fps'] == pytest.approx(1, rel=1e-3)
    assert max(d['segment'][1] for d in prediction['detections']) > 3400
    # 37 windows of 64 frames: at most one as it is decoded, one packed
    assert CountHeldFrames.most <= 2 * 64
    assert CountHeldFrames.held == 0


def test_what_is_known_of_the_videos(videos, cfg, weights, tmp_path):
    cfg.test_dataloader.dataset.fps = 50
    inferencer = TALInferencer(cfg, weights, device='cpu')
    video = str(videos.video('v0'))
    prediction = inferencer(video)['predictions'][0]
    assert prediction['fps'] == 50 and prediction['duration'] == pytest.approx(4.)
    prediction = inferencer(video, annotations=str(tmp_path / 'ann.json'), fps=10)['predictions'][0]
    assert prediction['fps'] == 10
    videos.database['v0']['duration'] = 9.
    videos.settings()
    with pytest.raises(TALDataError, match='v0.mp4: .*is 4.00 s long, but the annotation says 9'):
        inferencer(video, annotations=str(tmp_path / 'ann.json'))


def test_inputs_that_are_refused(videos, cfg, weights, tmp_path):
    inferencer = TALInferencer(cfg, weights, device='cpu')
    np.save(tmp_path / 'a.npy', np.zeros((20, 8), np.float32))
    with pytest.raises(ValueError, match='a.npy: this model reads frames: give the video'):
        inferencer(str(tmp_path / 'a.npy'), fps=10)
    with pytest.raises(ValueError, match='v0.mp4: stride is said of features'):
        inferencer(str(videos.video('v0')), stride=8)
    with pytest.raises(ValueError, match='it takes no recognizer'):
        TALInferencer(cfg, weights, device='cpu', extractor=lambda path: None)
    cfg.test_dataloader = None
    with pytest.raises(ValueError, match='has no TALVideoDataset as its test data set'):
        TALInferencer(cfg, weights, device='cpu')


def test_broken_videos(videos, cfg, weights):
    videos.video('v1').write_bytes(b'nothing')
    inferencer = TALInferencer(cfg, weights, device='cpu')
    folder = str(videos.root / 'videos')
    with pytest.raises(TALDataError, match="v1.mp4: video 'v1': video: the video cannot be deco"):
        inferencer(folder)
    out = inferencer(folder, skip_broken=True)
    assert [p['video_name'] for p in out['predictions']] == ['v0', 'v2']
    assert [problem.video for problem in out['broken']] == ['v1']


def test_a_video_that_breaks_between_two_windows(videos, cfg, weights, monkeypatch):
    """Its first windows are dropped with it."""
    from cltdr_mm.datasets import LoadTALFrames
    load = LoadTALFrames.transform

    def fails(self, results):
        if results['video_name'] == 'v1' and results['window_index'] == 2:
            raise TALDataError.of('loading', results['video_path'], 'video', 'is broken', 'v1')
        return load(self, results)

    inferencer = TALInferencer(cfg, weights, device='cpu')
    folder = str(videos.root / 'videos')
    whole = inferencer(folder)['predictions']
    monkeypatch.setattr(LoadTALFrames, 'transform', fails)
    out = inferencer(folder, skip_broken=True)
    assert out['predictions'] == [whole[0], whole[2]]
    assert [problem.message for problem in out['broken']] == ['is broken']
    with pytest.raises(TALDataError, match='v1.mp4.*is broken; --skip-broken leaves out'):
        inferencer(folder)
