# CLTDR-GMG for ActivityNet-1.3: class-agnostic proposals, video-level scores
_base_ = ['./cltdr_gmg.py']
model = dict(
    data_preprocessor=dict(input_noise=0.5),
    backbone=dict(
        in_channels=512, embed_dims=256, arch=(2, 2, 6), ffn_dims=2048, kernel_size=15,
        init_std=0.2, use_abs_pe=True, max_len=192),
    head=dict(
        num_classes=1,
        feat_channels=512,
        num_bins=12,
        iou_power=1.0,
        label_smoothing=0.1,
        normalizer=dict(init=400),
        test_cfg=dict(min_length=0.1)),
    postprocessor=dict(
        nms=dict(sigma=0.7, class_wise=False),
        voting=dict(type='SegmentVoting', iou_threshold=0.95, class_wise=False),
        # CUHK's scores of the validation videos, by name; see docs/datasets/anet13.md
        fusion=dict(type='ExternalScores', score_file='data/anet13/cuhk_val_scores.json'),
        max_per_video=200))
