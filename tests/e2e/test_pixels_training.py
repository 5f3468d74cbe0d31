"""A front learns from pixels: two kinds of motion in generated videos of some ten seconds."""
import json
from dataclasses import replace

import pytest
from mmengine.config import Config
from mmengine.runner import Runner

import cltdr_mm  # noqa: F401
from cltdr_mm.datasets.converters.pixel_set import PIXELS, make_pixel_set
from cltdr_mm.engine import runtime

pytest.importorskip('av')

#: All other motions go on as well, and nobody labels them.
KINDS = ['blink', 'shake']
SMALL = replace(PIXELS, seed=7, min_seconds=10, max_seconds=14, width=32, height=32, scale=2,
                gap=1, overlap=0, distractors=4)


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    out = tmp_path_factory.mktemp('pixels') / 'data'
    make_pixel_set(str(out), SMALL, num_train=24, num_test=16, num_validation=0, num_clips=0)
    path = out / 'annotations.json'
    written = json.loads(path.read_text())
    for entry in written['database'].values():
        entry['annotations'] = [dict(one, label_id=KINDS.index(one['label']))
                                for one in entry['annotations'] if one['label'] in KINDS]
    path.write_text(json.dumps(dict(written, classes=KINDS)))
    return out


def trained(project_root, data, folder, tuning):
    """Average mAP on the test videos after a training with a front that is tuned so."""
    cfg = Config.fromfile(project_root / 'configs' / 'pixels' / 'resnet_full_random.py')
    cfg.work_dir = str(folder / tuning)
    data_set = dict(data_root=f'{data}/', metainfo=dict(classes=KINDS))
    cfg.merge_from_dict({
        'model.front.tuning': tuning,
        # one stage of a ResNet3d-18, 8 channels wide
        'model.front.backbone': dict(
            depth=18, num_stages=1, out_indices=(0, ), spatial_strides=(1, ),
            temporal_strides=(1, ), dilations=(1, ), inflate=((1, 1), )),
        'model.backbone.embed_dims': 32, 'model.head.num_classes': len(KINDS),
        'train_cfg.max_epochs': 15, 'optim_wrapper.optimizer.lr': 3e-3, 'randomness.seed': 0,
        'train_dataloader.dataset': data_set, 'test_dataloader.dataset': data_set,
        'test_evaluator.ann_file': str(data / 'annotations.json')})
    runtime.drop_validation(cfg)
    runner = Runner.from_cfg(cfg)
    runner.train()
    return runner.test()['average_mAP']


def test_a_front_that_learns_beats_the_one_it_began_as(project_root, data, tmp_path):
    frozen = trained(project_root, data, tmp_path, 'frozen')
    full = trained(project_root, data, tmp_path, 'full')
    assert full > frozen + 0.08, (full, frozen)
