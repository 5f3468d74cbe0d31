# CLTDR-GMG on MultiTHUMOS, two-stream I3D features
_base_ = [
    '_base_/models/cltdr_gmg_multithumos.py', '_base_/datasets/multithumos_i3d.py',
    '_base_/schedules/adamw_cosine.py', '_base_/default_runtime.py'
]
train_cfg = dict(max_epochs=60)
param_scheduler = dict(warmup=25)
optim_wrapper = dict(optimizer=dict(lr=1.5e-4, weight_decay=0.03))
