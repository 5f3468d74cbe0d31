"""Pictures while a real Runner trains, validates and tests a small real model."""
import json

import cv2
import numpy as np
import pytest
from mmaction.registry import METRICS
from mmengine.config import Config
from mmengine.evaluator import BaseMetric
from mmengine.runner import Runner

import cltdr_mm  # noqa: F401


@METRICS.register_module(name='CountVideos', force=True)
class CountVideos(BaseMetric):
    def process(self, data_batch, data_samples):
        self.results += [1] * len(data_samples)

    def compute_metrics(self, results):
        return dict(videos=len(results))


@pytest.fixture
def cfg(tmp_path):
    rng = np.random.default_rng(0)
    database = {}
    for i in range(4):
        np.save(tmp_path / f'v{i}.npy', rng.normal(size=(40, 6)).astype(np.float32))
        database[f'v{i}'] = dict(subset='all', duration=20.25, fps=10.0, annotations=[
            dict(label='run', label_id=0, segment=[2.0, 9.0])])
    (tmp_path / 'ann.json').write_text(json.dumps(dict(database=database)))
    loader = dict(
        batch_size=2, num_workers=0, collate_fn=dict(type='pseudo_collate'),
        sampler=dict(type='DefaultSampler', shuffle=False),
        dataset=dict(type='TALDataset', ann_file=str(tmp_path / 'ann.json'), feature_stride=5,
                     data_prefix=dict(feats=str(tmp_path)), metainfo=dict(classes=['run', 'sit']),
                     pipeline=[dict(type='LoadTALFeature'), dict(type='PackTALInputs')]))
    test = dict(loader, dataset=dict(loader['dataset'], test_mode=True))
    return Config(dict(
        default_scope='mmaction', work_dir=str(tmp_path / 'work'), experiment_name=tmp_path.name,
        model=dict(
            type='SingleStageLocalizer',
            backbone=dict(type='GMG', in_channels=6, embed_dims=16, arch=(1, 1, 1), ffn_dims=24),
            head=dict(type='CLTDRHead', num_classes=2, in_channels=16, num_bins=4,
                      regression_ranges=[(0, 4), (4, 10000)]),
            postprocessor=dict(type='TALPostProcessor', nms=dict(type='SoftNMS'),
                               max_per_video=9, min_score=1e-6)),
        train_cfg=dict(by_epoch=True, max_epochs=2, val_interval=1), val_cfg=dict(type='ValLoop'),
        test_cfg=dict(type='TestLoop'), train_dataloader=loader, val_dataloader=test,
        test_dataloader=test, val_evaluator=dict(type='CountVideos'),
        test_evaluator=dict(type='CountVideos'),
        optim_wrapper=dict(optimizer=dict(type='AdamW', lr=1e-4)),
        visualizer=dict(type='TALVisualizer', vis_backends=[dict(type='LocalVisBackend')]),
        default_hooks=dict(visualization=dict(
            type='TALVisualizationHook', interval=3, out_dir=str(tmp_path / 'pictures')))))


def test_validation_and_test_leave_pictures(cfg, tmp_path, monkeypatch):
    from cltdr_mm.visualization import timeline as module
    drawn, real = [], module.draw_timeline

    def spy(truth, found, classes, *args, **kwargs):
        drawn.append((truth, found, tuple(classes)))
        return real(truth, found, classes, *args, **kwargs)

    monkeypatch.setattr(module, 'draw_timeline', spy)
    runner = Runner.from_cfg(cfg)
    runner.train()
    assert sorted(p.name for p in (tmp_path / 'pictures').iterdir()) == [
        'v0_1.png', 'v0_2.png', 'v3_1.png', 'v3_2.png'], 'named by epochs done'
    runner.test()
    names = {p.name for p in (tmp_path / 'pictures').iterdir()}
    assert {'v0.png', 'v3.png'} <= names and len(names) == 6
    assert all(cv2.imread(str(p)).std() > 5 for p in (tmp_path / 'pictures').iterdir())
    truth, found, classes = drawn[-1]
    np.testing.assert_allclose(truth.segments, [[2, 9]], atol=1e-5)
    assert len(found) == 9 and classes == ('run', 'sit')
    assert next((tmp_path / 'work').rglob('scalars.json')).stat().st_size > 0, \
        'scalars go to the back-ends of this visualizer too'
