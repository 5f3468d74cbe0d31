# TriDet on MultiTHUMOS, two-stream I3D features; recipe ours: that for THUMOS14
_base_ = [
    '_base_/models/tridet_multithumos.py', '_base_/datasets/multithumos_i3d.py',
    '_base_/schedules/adamw_cosine.py', '_base_/default_runtime.py'
]
train_cfg = dict(max_epochs=40)
param_scheduler = dict(warmup=20)
optim_wrapper = dict(optimizer=dict(lr=1e-4, weight_decay=0.025))
