# ActionMamba on ActivityNet-1.3, InternVideo2-6B features
_base_ = [
    '_base_/models/actionmamba_anet.py', '_base_/datasets/anet13_internvideo2.py',
    '_base_/schedules/adamw_cosine.py', '_base_/default_runtime.py'
]
train_cfg = dict(max_epochs=15)
param_scheduler = dict(warmup=5)
optim_wrapper = dict(optimizer=dict(lr=1e-3, weight_decay=0.05))
auto_scale_lr = dict(base_batch_size=16)
