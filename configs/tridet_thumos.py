# TriDet on THUMOS14, two-stream I3D features
_base_ = [
    '_base_/models/tridet.py', '_base_/datasets/thumos14_i3d.py',
    '_base_/schedules/adamw_cosine.py', '_base_/default_runtime.py'
]
model = dict(data_preprocessor=dict(input_noise=5e-4))
train_cfg = dict(max_epochs=40)
param_scheduler = dict(warmup=20)
optim_wrapper = dict(optimizer=dict(lr=1e-4, weight_decay=0.025))
