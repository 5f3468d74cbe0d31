# ActionMamba on FineAction, InternVideo2-1B features
_base_ = [
    '_base_/models/actionmamba.py', '_base_/datasets/fineaction_internvideo2.py',
    '_base_/schedules/adamw_cosine.py', '_base_/default_runtime.py'
]
model = dict(
    backbone=dict(in_channels=1408, arch=(2, 2, 7)),
    head=dict(num_classes=106),
    postprocessor=dict(voting=dict(type='SegmentVoting', iou_threshold=0.7)))
train_cfg = dict(max_epochs=25)
param_scheduler = dict(warmup=5)
optim_wrapper = dict(optimizer=dict(lr=1e-3, weight_decay=0.05))
auto_scale_lr = dict(base_batch_size=16)
