# AdaTAD on THUMOS14, VideoMAE-S, 768 frames of 160 x 160 pixels
_base_ = [
    '../_base_/models/adatad.py', '../_base_/models/videomae.py',
    '../_base_/datasets/thumos14_video.py', '../_base_/schedules/adatad.py',
    '../_base_/default_runtime.py'
]
model = dict(front=dict(backbone={{_base_.videomae_s}}))
optim_wrapper = dict(paramwise_cfg=dict(custom_keys=dict(adapter=dict(lr_mult=2.0))))
