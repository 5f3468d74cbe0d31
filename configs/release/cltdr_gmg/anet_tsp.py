# CLTDR-GMG as published: ActivityNet-1.3, TSP features of up to 768 steps; focal coarse loss
# needs video-level scores, see docs/datasets/anet13.md
_base_ = ['../_base_/cltdr_gmg.py', '../_base_/anet13_tsp_768.py']
work_dir = 'work_dirs/release/cltdr_gmg/{{fileBasenameNoExtension}}'
model = dict(
    data_preprocessor=dict(size_divisor=480, pad_to=768, input_noise=0.5),
    backbone=dict(
        in_channels=512, embed_dims=256, use_abs_pe=True, max_len=768, ffn_dims=2048,
        init_std=0.2, kernel_size=15),
    neck=dict(in_channels=256),
    head=dict(
        num_classes=1, in_channels=256, label_smoothing=0.1, normalizer=dict(init=400),
        test_cfg=dict(min_length=0.1), num_bins=12, iou_power=1),
    postprocessor=dict(
        nms=dict(sigma=0.7, class_wise=False), max_per_video=200,
        voting=dict(type='SegmentVoting', iou_threshold=0.95, class_wise=False),
        fusion=dict(
            type='ExternalScores', score_file='data/anet13/cuhk_val_scores.json',
            fusion='geometric_mean')))
train_cfg = dict(max_epochs=15)
param_scheduler = dict(warmup=10, end_factor=0.02)
optim_wrapper = dict(optimizer=dict(lr=0.001, weight_decay=0.045), clip_grad=dict(max_norm=0.4))
auto_scale_lr = dict(base_batch_size=16)
# padding leaks into the results: in a batch, a longer video would change them
val_dataloader = test_dataloader = dict(batch_size=1)
