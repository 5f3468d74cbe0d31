# TemporalMaxer on MultiTHUMOS, the RGB stream of I3D alone
_base_ = [
    '_base_/models/temporalmaxer.py', '_base_/datasets/multithumos_rgb.py',
    '_base_/schedules/adamw_cosine.py', '_base_/default_runtime.py'
]
model = dict(
    backbone=dict(in_channels=1024, arch=(3, 0, 5)),
    neck=dict(norm='layer'),
    head=dict(num_classes=65, test_cfg=dict(nms_pre=3000)),
    postprocessor=dict(max_per_video=300))
train_cfg = dict(max_epochs=65)
param_scheduler = dict(warmup=5)
optim_wrapper = dict(optimizer=dict(lr=1e-4, weight_decay=0.05))
