# ActionMamba for class-agnostic proposals of ActivityNet-1.3, with video-level scores
_base_ = ['./actionmamba.py']
model = dict(
    backbone=dict(embed_dims=256),
    head=dict(
        num_classes=1,
        label_smoothing=0.1,
        reg_weight=2.0,
        normalizer=dict(init=200),
        test_cfg=dict(min_length=0.001)),
    postprocessor=dict(
        nms=dict(sigma=0.75, class_wise=False),
        voting=dict(type='SegmentVoting', iou_threshold=0.9, class_wise=False),
        # CUHK's scores of the validation videos, by name; see docs/datasets/anet13.md
        fusion=dict(type='ExternalScores', score_file='data/anet13/cuhk_val_scores.json'),
        max_per_video=100))
