# CausalTAD on ActivityNet-1.3, TSP features
_base_ = [
    '_base_/models/actionmamba_anet.py', '_base_/datasets/anet13_tsp.py',
    '_base_/schedules/adamw_cosine.py', '_base_/default_runtime.py'
]
model = dict(
    norm_eps=1e-6,
    backbone=dict(
        type='CausalTAD', in_channels=512, input_dropout=0.2, use_abs_pe=True, max_len=192))
train_cfg = dict(max_epochs=15)
param_scheduler = dict(warmup=5)
optim_wrapper = dict(optimizer=dict(lr=1e-3, weight_decay=0.05))
auto_scale_lr = dict(base_batch_size=16)
