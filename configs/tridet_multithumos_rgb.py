# TriDet on MultiTHUMOS, the RGB stream of I3D; recipe ours: that for THUMOS14
_base_ = [
    '_base_/models/tridet_multithumos.py', '_base_/datasets/multithumos_rgb.py',
    '_base_/schedules/adamw_cosine.py', '_base_/default_runtime.py'
]
model = dict(backbone=dict(in_channels=1024))
train_cfg = dict(max_epochs=40)
param_scheduler = dict(warmup=20)
optim_wrapper = dict(optimizer=dict(lr=1e-4, weight_decay=0.025))
