# TriDet on HACS Segments, SlowFast features
_base_ = [
    '_base_/models/tridet_hacs.py', '_base_/datasets/hacs_slowfast.py',
    '_base_/schedules/adamw_cosine.py', '_base_/default_runtime.py'
]
model = dict(
    data_preprocessor=dict(input_noise=0.2),
    backbone=dict(in_channels=2304, arch=(2, 2, 5), window_size=3, max_len=960),
    head=dict(num_bins=14))
train_cfg = dict(max_epochs=11)
param_scheduler = dict(warmup=7, end_factor=0.5)
optim_wrapper = dict(
    optimizer=dict(lr=1e-3, weight_decay=0.03), clip_grad=dict(max_norm=0.5))
auto_scale_lr = dict(base_batch_size=16)
