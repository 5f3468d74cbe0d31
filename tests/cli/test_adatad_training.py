"""A miniature of AdaTAD's config for THUMOS14, trained by the console command."""
import pytest
import torch
from mmaction.registry import MODELS
from numbered_videos import VideoSet

from cltdr_mm.cli import train

VIT = dict(embed_dims=16, depth=2, num_heads=2, patch_size=16)
CONFIG = '''
_base_ = ['cltdr_mm::adatad/thumos_s.py']
videos = dict(
    _delete_=True, type='TALVideoDataset', data_root={root!r}, ann_file='ann.json',
    data_prefix=dict(video='videos'), metainfo=dict(classes=('jump', 'run')), feature_stride=4)
train_dataloader = dict(num_workers=0, dataset=dict(
    subset='training', pipeline={{{{_base_.train_pipeline}}}}, **videos))
val_dataloader = dict(num_workers=0, persistent_workers=False, dataset=dict(
    subset='test', test_mode=True, window=dict(size=16, overlap=0.5),
    pipeline={{{{_base_.test_pipeline}}}}, **videos))
val_evaluator = dict(protocol='custom', ann_file={root!r} + '/ann.json', subset='test')
model = dict(
    num_levels=3,
    front=dict(backbone=dict(
        **{vit}, init_cfg=dict(checkpoint={root!r} + '/vit.pth'))),
    backbone=dict(embed_dims=16, arch=(1, 0, 2)),
    head=dict(num_classes=2))
default_hooks = dict(ema=None)
train_cfg = dict(max_epochs=2, val_interval=2)
param_scheduler = dict(warmup=1, end=10)
'''


@pytest.fixture
def config(tmp_path):
    pytest.importorskip('av', reason='PyAV is not installed: pip install av')
    VideoSet(tmp_path, frames=(100, 80, 150)).settings()  # writes the annotation file
    path = tmp_path / 'mine.py'
    path.write_text(CONFIG.format(root=str(tmp_path), vit=VIT))
    return path


def test_adapters_and_detector_are_trained(config, capsys, monkeypatch):
    monkeypatch.chdir(config.parent)
    vit = MODELS.build(dict(type='VisionTransformer', return_feat_map=True, **VIT))
    vit.init_weights()
    torch.save(dict(module=vit.state_dict()), 'vit.pth')
    train.main([str(config), '--work-dir', 'work'])
    assert 'validated after epoch 2' in capsys.readouterr().out
    state = torch.load('work/epoch_2.pth', weights_only=True)['state_dict']
    for key, value in vit.state_dict().items():  # as it was published
        assert torch.equal(state[f'front.backbone.{key}'], value), key
    for block in range(2):
        adapter = f'front.backbone.blocks.{block}.adapter.'
        assert state[adapter + 'up_proj.weight'].any()
    assert not any('ladders' in key for key in state)


def test_weights_that_are_not_there_are_one_line(config, monkeypatch):
    monkeypatch.chdir(config.parent)
    with pytest.raises(SystemExit) as info:
        train.main([str(config), '--work-dir', 'work'])
    assert info.value.code.startswith(
        'error: model.front.backbone.init_cfg.checkpoint: there is no checkpoint '
        f'{config.parent / "vit.pth"}')
