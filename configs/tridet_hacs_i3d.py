# TriDet on HACS Segments, I3D features
_base_ = [
    '_base_/models/tridet_hacs.py', '_base_/datasets/hacs_i3d.py',
    '_base_/schedules/adamw_cosine.py', '_base_/default_runtime.py'
]
train_cfg = dict(max_epochs=13)
param_scheduler = dict(warmup=10, end_factor=0.2)
optim_wrapper = dict(optimizer=dict(lr=1e-3, weight_decay=0.03))
auto_scale_lr = dict(base_batch_size=16)
