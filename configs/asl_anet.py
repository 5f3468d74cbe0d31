# ASL on ActivityNet-1.3, two-stream I3D features, by ActionFormer's recipe
_base_ = [
    '_base_/models/asl_anet.py', '_base_/datasets/anet13_i3d.py',
    '_base_/schedules/adamw_cosine.py', '_base_/default_runtime.py'
]
model = dict(backbone=dict(in_channels=2048, max_len=160))
train_cfg = dict(max_epochs=15)
param_scheduler = dict(warmup=5)
optim_wrapper = dict(optimizer=dict(lr=1e-3, weight_decay=0.05))
auto_scale_lr = dict(base_batch_size=16)
