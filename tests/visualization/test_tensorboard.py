"""Where scalars and pictures lie in TensorBoard, read back by its own reader."""
import builtins

import numpy as np
import pytest
from mmaction.registry import VISBACKENDS
from mmengine.logging import MessageHub

import cltdr_mm  # noqa: F401
from cltdr_mm.visualization.tensorboard import grouped


@pytest.mark.parametrize('name, stage, place', [
    ('loss', 'train', 'train/loss'), ('loss_cls', 'train', 'train/loss_cls'),
    ('lr', 'train', 'lr/lr'), ('base_lr', 'train', 'lr/base_lr'),
    ('momentum', 'train', 'lr/momentum'), ('grad_norm', 'train', 'train/grad_norm'),
    ('average_mAP', 'val', 'val/mAP/average'), ('mAP@0.5', 'val', 'val/mAP/0.5'),
    ('average_mAP@0.5:0.95', 'val', 'val/mAP/average_0.5_0.95'),
    ('recall@1x@0.5', 'val', 'val/recall_1x/0.5'), ('f1', 'val', 'val/F1/f1'),
    ('f1_threshold', 'test', 'test/F1/f1_threshold'), ('precision', 'train', 'train/precision'),
    ('AP/open/close the door', 'val', 'val/AP/open_close_the_door'),
    ('AR@10', 'val', 'val/AR_10'), ('time', 'val', 'val/time')])
def test_groups(name, stage, place):
    assert grouped(name, stage) == place


def test_what_tensorboard_gets(tmp_path):
    accumulator = pytest.importorskip(
        'tensorboard.backend.event_processing.event_accumulator').EventAccumulator
    backend = VISBACKENDS.build(dict(type='TALTensorboardVisBackend', save_dir=str(tmp_path)))
    hub = MessageHub.get_instance(tmp_path.name)
    hub.update_info('loop_stage', 'train')
    backend.add_scalars(dict(loss=2.5, lr=0.1), step=3)
    hub.update_info('loop_stage', 'val')
    backend.add_scalars({'mAP@0.5': 0.25, 'AP/run': 0.5}, step=1)
    backend.add_image('video a', np.zeros((8, 9, 3), dtype=np.uint8), 1)
    backend.close()
    events = accumulator(str(tmp_path))
    events.Reload()
    values = {tag: [(e.step, e.value) for e in events.Scalars(tag)]
              for tag in events.Tags()['scalars']}
    assert values == {'train/loss': [(3, 2.5)], 'lr/lr': [(3, pytest.approx(0.1))],
                      'val/mAP/0.5': [(1, 0.25)], 'val/AP/run': [(1, 0.5)]}
    assert events.Tags()['images'] == ['timelines/video_a']


def test_without_tensorboard_a_line_says_what_to_install(tmp_path, monkeypatch):
    real = builtins.__import__

    def absent(name, *args, **kwargs):
        if name.startswith('torch.utils.tensorboard'):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    backend = VISBACKENDS.build(dict(type='TALTensorboardVisBackend', save_dir=str(tmp_path)))
    monkeypatch.setattr(builtins, '__import__', absent)
    with pytest.raises(ImportError, match=r'pip install "cltdr-mm\[tensorboard\]"'):
        backend.add_scalar('loss', 1.)
