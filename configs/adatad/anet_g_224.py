# AdaTAD on ActivityNet-1.3, VideoMAE V2-g, 768 frames of 224 x 224 pixels; published on 8 GPUs
_base_ = [
    '../_base_/models/adatad_anet.py', '../_base_/models/videomae.py',
    '../_base_/datasets/anet13_video_224.py', '../_base_/schedules/adatad.py',
    '../_base_/default_runtime.py'
]
model = dict(front=dict(backbone={{_base_.videomaev2_g}}))
train_cfg = dict(max_epochs=15)
param_scheduler = dict(end=15, end_factor=1e-5)
optim_wrapper = dict(
    optimizer=dict(lr=1e-3), paramwise_cfg=dict(custom_keys=dict(adapter=dict(lr_mult=0.1))))
auto_scale_lr = dict(base_batch_size=16)
