# ActionFormer on MultiTHUMOS, the RGB stream of I3D; recipe ours: that for THUMOS14
_base_ = [
    '_base_/models/actionformer.py', '_base_/datasets/multithumos_rgb.py',
    '_base_/schedules/adamw_cosine.py', '_base_/default_runtime.py'
]
model = dict(
    backbone=dict(in_channels=1024),
    # TemporalMaxer's limits there: on THUMOS14 both have the same
    head=dict(num_classes=65, test_cfg=dict(nms_pre=3000)),
    postprocessor=dict(max_per_video=300))
train_cfg = dict(max_epochs=35)
param_scheduler = dict(warmup=5)
optim_wrapper = dict(optimizer=dict(lr=1e-4, weight_decay=0.05))
