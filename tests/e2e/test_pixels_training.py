"""A front learns from pixels: which of the squares that come and go have upright stripes."""
import json

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.runner import Runner

import cltdr_mm  # noqa: F401
from cltdr_mm.datasets.converters.shape_videos import write_video
from cltdr_mm.engine import runtime

pytest.importorskip('av')

FPS, SECONDS, SIDE = 10, 12.8, 32
ROW, COLUMN = np.mgrid[:16, :16] // 2
#: Of one mean and contrast, fainter than what a filter drawn at random tells well from noise. Only
#: the first, upright stripes, is an action.
PATTERNS = [np.where(place % 2, 1.0, -1.0) for place in (COLUMN, ROW, ROW + COLUMN)]


def make_video(path, rng):
    """Grey noise in changing light, with a striped square now and then; when one is upright."""
    frames = np.full((int(SECONDS * FPS), SIDE, SIDE, 3), 100, np.float32)
    time, found = rng.uniform(0.3, 1.0), []
    while time < SECONDS - 1.5:
        end = min(time + rng.uniform(1.5, 3.5), SECONDS)
        kind = 0 if rng.random() < 0.4 else rng.integers(1, len(PATTERNS))
        top, left = rng.integers(0, SIDE - 16, 2)
        pattern = 100 + 20 * PATTERNS[kind][:, :, None]
        frames[int(time * FPS):int(end * FPS), top:top + 16, left:left + 16] = pattern
        if kind == 0:
            found.append(dict(segment=[round(time, 3), round(end, 3)], label='upright', label_id=0))
        time = end + rng.uniform(0.3, 1.2)
    light = 1 + 0.2 * np.sin(np.arange(len(frames)) / rng.uniform(5, 15) + rng.uniform(0, 6))
    frames = frames * light[:, None, None, None] + rng.normal(0, 16, frames.shape)
    write_video(str(path), iter(frames.clip(0, 255).astype(np.uint8)), FPS)
    return dict(duration=SECONDS, fps=FPS, annotations=found)


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    out = tmp_path_factory.mktemp('squares')
    (out / 'videos').mkdir()
    rng = np.random.default_rng(0)
    database = {}
    for subset, count in dict(train=24, test=16).items():
        for index in range(count):
            name = f'{subset}_{index:02d}'
            database[name] = dict(make_video(out / 'videos' / f'{name}.mp4', rng), subset=subset)
    (out / 'annotations.json').write_text(json.dumps(dict(
        version='made', classes=['upright'], database=database)))
    return out


def trained(project_root, data, folder, tuning):
    """Average mAP on the test videos after a training with a front that is tuned so."""
    cfg = Config.fromfile(project_root / 'configs' / 'pixels' / 'resnet_full_random.py')
    cfg.work_dir = str(folder / tuning)
    data_set = dict(data_root=f'{data}/', metainfo=dict(classes=['upright']))
    cfg.merge_from_dict({
        'model.front.tuning': tuning,
        # one stage of a ResNet3d-18, 4 channels wide
        'model.front.backbone': dict(
            depth=18, num_stages=1, out_indices=(0, ), base_channels=4, spatial_strides=(1, ),
            temporal_strides=(1, ), dilations=(1, ), inflate=((1, 1), )),
        'model.backbone.embed_dims': 32, 'model.head.num_classes': 1,
        'train_cfg.max_epochs': 14, 'optim_wrapper.optimizer.lr': 5e-3, 'randomness.seed': 0,
        'train_dataloader.dataset': data_set, 'test_dataloader.dataset': data_set,
        'test_evaluator.ann_file': str(data / 'annotations.json')})
    runtime.drop_validation(cfg)
    runner = Runner.from_cfg(cfg)
    runner.train()
    return runner.test()['average_mAP']


def test_a_front_that_learns_beats_the_one_it_began_as(project_root, data, tmp_path):
    frozen = trained(project_root, data, tmp_path, 'frozen')
    full = trained(project_root, data, tmp_path, 'full')
    assert full > frozen + 0.2, (full, frozen)
