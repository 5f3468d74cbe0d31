# ActionMamba on THUMOS14, two-stream I3D features; recipe ours: that for InternVideo2
_base_ = [
    '_base_/models/actionmamba.py', '_base_/datasets/thumos14_i3d.py',
    '_base_/schedules/adamw_cosine.py', '_base_/default_runtime.py'
]
model = dict(
    backbone=dict(in_channels=2048),
    postprocessor=dict(voting=dict(type='SegmentVoting', iou_threshold=0.7)))
train_cfg = dict(max_epochs=50)
param_scheduler = dict(warmup=5)
optim_wrapper = dict(optimizer=dict(lr=1e-4, weight_decay=0.05))
