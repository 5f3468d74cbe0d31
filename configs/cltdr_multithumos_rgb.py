# CLTDR-GMG on MultiTHUMOS, the RGB stream of I3D alone
_base_ = [
    '_base_/models/cltdr_gmg_multithumos.py', '_base_/datasets/multithumos_rgb.py',
    '_base_/schedules/adamw_cosine.py', '_base_/default_runtime.py'
]
model = dict(backbone=dict(in_channels=1024, ffn_dims=768))
train_cfg = dict(max_epochs=60)
param_scheduler = dict(warmup=25)
optim_wrapper = dict(optimizer=dict(lr=1.5e-4, weight_decay=0.03))
