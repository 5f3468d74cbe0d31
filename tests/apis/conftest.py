"""A small real localizer with its checkpoint, and a data set in a folder."""
import json

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config

import cltdr_mm  # noqa: F401

CLASSES = ['walk', 'sit', 'lie']
CHANNELS = 6
STEPS = (30, 47, 64, 12, 33)


@pytest.fixture
def folder(tmp_path):
    """Five videos of different lengths with features (T, C) and an annotation file."""
    path = tmp_path / 'data'
    path.mkdir()
    rng = np.random.default_rng(3)
    database = {}
    for i, steps in enumerate(STEPS):
        np.save(path / f'v{i}.npy', rng.normal(size=(steps, CHANNELS)).astype(np.float32))
        duration = ((steps - 1) * 5 + 10) / 10
        database[f'v{i}'] = dict(subset='test', duration=duration, fps=10.0, annotations=[
            dict(label='sit', label_id=1, segment=[1.0, 3.0])])
    (path / 'ann.json').write_text(json.dumps(dict(database=database)))
    return path


@pytest.fixture
def cfg(folder, tmp_path):
    return Config(dict(
        default_scope='mmaction', work_dir=str(tmp_path / 'work'), experiment_name=tmp_path.name,
        model=dict(
            type='SingleStageLocalizer',
            backbone=dict(type='GMG', in_channels=CHANNELS, embed_dims=16, arch=(1, 1, 2),
                          ffn_dims=24),
            neck=dict(type='IdentityNeck', in_channels=16, num_levels=3),
            head=dict(type='CLTDRHead', num_classes=len(CLASSES), in_channels=16, num_bins=4,
                      regression_ranges=[(0, 4), (4, 8), (8, 10000)]),
            postprocessor=dict(type='TALPostProcessor', nms=dict(type='SoftNMS', sigma=0.5),
                               max_per_video=40, min_score=1e-4)),
        test_cfg=dict(type='TestLoop'),
        test_dataloader=dict(
            batch_size=2, num_workers=0, collate_fn=dict(type='pseudo_collate'),
            sampler=dict(type='DefaultSampler', shuffle=False),
            dataset=dict(
                type='TALDataset', ann_file=str(folder / 'ann.json'), test_mode=True,
                data_prefix=dict(feats=str(folder)), metainfo=dict(classes=CLASSES),
                feature_stride=5, feature_window=10, default_fps=10.0,
                pipeline=[dict(type='LoadTALFeature'), dict(type='PackTALInputs')])),
        test_evaluator=dict(type='TALMetric', ann_file=str(folder / 'ann.json'),
                            protocol='thumos14', out_dir=str(tmp_path / 'runner'))))


@pytest.fixture
def weights(cfg, tmp_path):
    """A checkpoint as the Runner saves it; parameters far from their start."""
    torch.manual_seed(5)
    model = MODELS.build(cfg.model)
    for parameter in model.parameters():
        parameter.data += 0.2 * torch.randn_like(parameter)
    path = tmp_path / 'checkpoint.pth'
    torch.save(dict(state_dict=model.state_dict(), meta=dict(
        dataset_meta=dict(classes=CLASSES), cfg=cfg.pretty_text)), path)
    return str(path)


@pytest.fixture
def film():
    """A function that writes a video of pictures (T, H, W, 3) uint8."""
    av = pytest.importorskip('av', reason='PyAV is not installed: pip install av')

    def write(path, pictures, rate=10):
        path.parent.mkdir(parents=True, exist_ok=True)
        with av.open(str(path), 'w') as container:
            stream = container.add_stream('mpeg4', rate=rate)
            stream.height, stream.width = pictures.shape[1:3]
            stream.pix_fmt, stream.bit_rate = 'yuv420p', 4_000_000
            for picture in pictures:
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format='rgb24')))
            container.mux(stream.encode())
        return path

    return write


@pytest.fixture
def films(tmp_path, film):
    """A folder of three films, in which a square moves; one is in a sub-folder."""
    for i, (name, frames) in enumerate((('a', 60), ('cam1/b', 45), ('c', 30))):
        pictures = np.full((frames, 48, 64, 3), 30 + 20 * i, np.uint8)
        for t in range(frames):
            pictures[t, 10:26, (5 + t) % 40:(5 + t) % 40 + 16] = 220
        film(tmp_path / 'films' / f'{name}.mp4', pictures)
    return tmp_path / 'films'
