# ASL on THUMOS14, two-stream I3D features, by ActionFormer's recipe
_base_ = [
    '_base_/models/asl.py', '_base_/datasets/thumos14_i3d.py',
    '_base_/schedules/adamw_cosine.py', '_base_/default_runtime.py'
]
train_cfg = dict(max_epochs=35)
param_scheduler = dict(warmup=5)
optim_wrapper = dict(optimizer=dict(lr=1e-4, weight_decay=0.05))
