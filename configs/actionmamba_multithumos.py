# ActionMamba on MultiTHUMOS, InternVideo2-6B features, by OpenTAD's recipe
_base_ = [
    '_base_/models/actionmamba.py', '_base_/datasets/multithumos_internvideo2.py',
    '_base_/schedules/adamw_cosine.py', '_base_/default_runtime.py'
]
model = dict(
    norm_eps=1e-6,
    backbone=dict(arch=(3, 0, 5), input_dropout=0.1),
    head=dict(num_classes=65, test_cfg=dict(nms_pre=8000)),
    postprocessor=dict(
        voting=dict(type='SegmentVoting', iou_threshold=0.7),
        max_per_video=8000))
train_cfg = dict(max_epochs=55)
param_scheduler = dict(warmup=5, end=65)  # stops before the cosine ends, as published
optim_wrapper = dict(optimizer=dict(lr=1e-4, weight_decay=0.05))
