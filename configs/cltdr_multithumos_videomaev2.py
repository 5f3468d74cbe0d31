# CLTDR-GMG on MultiTHUMOS, VideoMAE V2 features
_base_ = [
    '_base_/models/cltdr_gmg_multithumos.py', '_base_/datasets/multithumos_videomaev2.py',
    '_base_/schedules/adamw_cosine.py', '_base_/default_runtime.py'
]
model = dict(
    data_preprocessor=dict(input_noise=0.05),
    backbone=dict(in_channels=1408),
    head=dict(iou_power=0.25, test_cfg=dict(nms_pre=2000)),
    postprocessor=dict(max_per_video=2000))
train_cfg = dict(max_epochs=60)
param_scheduler = dict(warmup=25)
optim_wrapper = dict(optimizer=dict(lr=1.5e-4, weight_decay=0.03))
