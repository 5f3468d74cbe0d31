# ActionFormer as published: ActivityNet-1.3, I3D features resized to 192 steps
# needs video-level scores, see docs/datasets/anet13.md
_base_ = ['../_base_/actionformer.py', '../_base_/anet13_i3d_192.py']
work_dir = 'work_dirs/release/actionformer/{{fileBasenameNoExtension}}'
model = dict(
    data_preprocessor=dict(size_divisor=96, pad_to=192),
    backbone=dict(embed_dims=256, use_abs_pe=True, max_len=192, window_size=[7, 7, 7, 7, 7, -1]),
    neck=dict(in_channels=256),
    head=dict(
        num_classes=1, in_channels=256, feat_channels=256, reg_weight=2.0, label_smoothing=0.1,
        normalizer=dict(init=200), test_cfg=dict(min_length=0.001)),
    postprocessor=dict(
        nms=dict(sigma=0.75, class_wise=False), max_per_video=100,
        voting=dict(type='SegmentVoting', iou_threshold=0.9, class_wise=False),
        fusion=dict(
            type='ExternalScores', score_file='data/anet13/cuhk_val_scores.json',
            fusion='geometric_mean')))
train_cfg = dict(max_epochs=15)
param_scheduler = dict(warmup=5, end_factor=1e-05)
optim_wrapper = dict(optimizer=dict(lr=0.001, weight_decay=0.05))
auto_scale_lr = dict(base_batch_size=16)
# padding leaks into the results: in a batch, a longer video would change them
val_dataloader = test_dataloader = dict(batch_size=1)
