# CausalTAD on THUMOS14, InternVideo2-6B features
_base_ = [
    '_base_/models/causaltad.py', '_base_/datasets/thumos14_internvideo2.py',
    '_base_/schedules/adamw_cosine.py', '_base_/default_runtime.py'
]
model = dict(
    backbone=dict(in_channels=3200, input_dropout=0.1),
    head=dict(normalizer=dict(init=100)),
    postprocessor=dict(nms=None, max_per_video=-1))
train_pipeline = [
    dict(type='LoadTALFeature'),
    dict(type='RandomCropFeature', max_len=2304, trunc_thresh=0.75, crop_ratio=(0.9, 1.0)),
    dict(type='PackTALInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
# windows are put together before NMS, which the evaluator does (docs/postprocessing.md)
val_dataloader = dict(dataset=dict(window=dict(size=2304, overlap=0.5)))
test_dataloader = val_dataloader
val_evaluator = dict(postprocessor=dict(
    type='TALPostProcessor', nms=dict(type='SoftNMS', sigma=0.5),
    voting=dict(type='SegmentVoting', iou_threshold=0.7), max_per_video=2000))
test_evaluator = val_evaluator
train_cfg = dict(max_epochs=50)
param_scheduler = dict(warmup=5)
optim_wrapper = dict(optimizer=dict(lr=1e-4, weight_decay=0.05))
