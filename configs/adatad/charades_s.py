# AdaTAD on Charades, VideoMAE-S, 512 frames of 160 x 160 pixels; published on 2 GPUs
_base_ = [
    '../_base_/models/adatad.py', '../_base_/models/videomae.py',
    '../_base_/datasets/charades_video.py', '../_base_/schedules/adatad.py',
    '../_base_/default_runtime.py'
]
model = dict(
    front=dict(backbone={{_base_.videomae_s}}),
    backbone=dict(arch=(2, 2, 7), use_abs_pe=True, max_len=512, input_dropout=0.3),
    head=dict(num_classes=157))
train_cfg = dict(max_epochs=20)
param_scheduler = dict(end=20)
optim_wrapper = dict(paramwise_cfg=dict(custom_keys=dict(adapter=dict(lr_mult=4.0))))
auto_scale_lr = dict(base_batch_size=16)
