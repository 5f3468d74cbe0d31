"""A front learns from pixels: the config of a ResNet3d on some generated videos of ten seconds."""
from dataclasses import replace

import pytest
from mmengine.config import Config
from mmengine.runner import Runner

import cltdr_mm  # noqa: F401
from cltdr_mm.datasets.converters.pixel_set import PIXELS, make_pixel_set
from cltdr_mm.engine import runtime

EASY = replace(PIXELS, min_seconds=8, max_seconds=10, width=32, height=32, scale=2, gap=1.2,
               overlap=0, distractors=4)


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    out = tmp_path_factory.mktemp('pixels')
    make_pixel_set(str(out), EASY, num_train=30, num_test=16, num_validation=0, num_clips=0)
    return out


def trained(project_root, data, folder, tuning):
    """Average mAP on the test videos after a training with a front that is tuned so."""
    cfg = Config.fromfile(project_root / 'configs' / 'pixels' / 'resnet_full_random.py')
    cfg.work_dir = str(folder / tuning)
    cfg.merge_from_dict({
        'model.front.tuning': tuning, 'model.backbone.embed_dims': 32,
        'train_cfg.max_epochs': 12, 'default_hooks.checkpoint.interval': 12,
        'train_dataloader.batch_size': 2, 'train_dataloader.dataset.pipeline.1.max_len': 40,
        'train_dataloader.dataset.data_root': str(data),
        'test_dataloader.dataset.data_root': str(data),
        'test_evaluator.ann_file': str(data / 'annotations.json')})
    runtime.drop_validation(cfg)
    runner = Runner.from_cfg(cfg)
    runner.train()
    return runner.test()['average_mAP']


def test_a_front_that_learns_beats_the_one_it_began_as(project_root, data, tmp_path):
    frozen = trained(project_root, data, tmp_path, 'frozen')
    full = trained(project_root, data, tmp_path, 'full')
    assert full > frozen + 0.1, (full, frozen)
