# TriDet on THUMOS14, InternVideo2-6B features, by the recipe for I3D
_base_ = [
    '_base_/models/tridet.py', '_base_/datasets/thumos14_internvideo2.py',
    '_base_/schedules/adamw_cosine.py', '_base_/default_runtime.py'
]
model = dict(data_preprocessor=dict(input_noise=5e-4), backbone=dict(in_channels=3200))
train_cfg = dict(max_epochs=40)
param_scheduler = dict(warmup=20)
optim_wrapper = dict(optimizer=dict(lr=1e-4, weight_decay=0.025))
