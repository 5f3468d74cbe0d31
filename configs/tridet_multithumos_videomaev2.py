# TriDet on MultiTHUMOS, VideoMAE V2 features; recipe ours: that for THUMOS14 and I3D
_base_ = [
    '_base_/models/tridet_multithumos.py', '_base_/datasets/multithumos_videomaev2.py',
    '_base_/schedules/adamw_cosine.py', '_base_/default_runtime.py'
]
model = dict(
    backbone=dict(in_channels=1408),
    head=dict(test_cfg=dict(nms_pre=2000)),
    postprocessor=dict(max_per_video=2000))
train_cfg = dict(max_epochs=40)
param_scheduler = dict(warmup=20)
optim_wrapper = dict(optimizer=dict(lr=1e-4, weight_decay=0.025))
