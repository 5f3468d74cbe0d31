# TriDet on THUMOS14, VideoMAE V2 features; recipe ours: that for I3D
_base_ = [
    '_base_/models/tridet.py', '_base_/datasets/thumos14_videomaev2.py',
    '_base_/schedules/adamw_cosine.py', '_base_/default_runtime.py'
]
model = dict(
    data_preprocessor=dict(input_noise=5e-4), backbone=dict(in_channels=1408))
train_cfg = dict(max_epochs=40)
param_scheduler = dict(warmup=20)
optim_wrapper = dict(optimizer=dict(lr=1e-4, weight_decay=0.025))
