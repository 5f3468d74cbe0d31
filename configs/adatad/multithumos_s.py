# AdaTAD on MultiTHUMOS, VideoMAE-S, 768 frames of 160 x 160 pixels
_base_ = [
    '../_base_/models/adatad.py', '../_base_/models/videomae.py',
    '../_base_/datasets/multithumos_video.py', '../_base_/schedules/adatad.py',
    '../_base_/default_runtime.py'
]
model = dict(
    front=dict(backbone={{_base_.videomae_s}}),
    backbone=dict(arch=(3, 0, 5)),
    head=dict(num_classes=65, test_cfg=dict(nms_pre=8000)),
    postprocessor=dict(max_per_video=8000))
train_cfg = dict(max_epochs=80)
optim_wrapper = dict(paramwise_cfg=dict(custom_keys=dict(adapter=dict(lr_mult=4.0))))
