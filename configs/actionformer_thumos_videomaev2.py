# ActionFormer on THUMOS14, VideoMAE V2 features; recipe ours: that for I3D
_base_ = [
    '_base_/models/actionformer.py', '_base_/datasets/thumos14_videomaev2.py',
    '_base_/schedules/adamw_cosine.py', '_base_/default_runtime.py'
]
model = dict(backbone=dict(in_channels=1408))
train_cfg = dict(max_epochs=35)
param_scheduler = dict(warmup=5)
optim_wrapper = dict(optimizer=dict(lr=1e-4, weight_decay=0.05))
