# AdaTAD for ActivityNet-1.3: class-agnostic proposals, video-level scores
_base_ = ['./adatad.py']
model = dict(
    front=dict(frames_per_step=4),
    backbone=dict(embed_dims=256, use_abs_pe=True, max_len=192),
    head=dict(
        num_classes=1, label_smoothing=0.1, reg_weight=2.0, normalizer=dict(init=200),
        test_cfg=dict(min_length=0.001)),
    postprocessor=dict(
        nms=dict(type='SoftNMS', sigma=0.7, class_wise=False),
        voting=dict(type='SegmentVoting', iou_threshold=0.9, class_wise=False),
        # CUHK's scores of the validation videos, by name; see docs/datasets/anet13.md
        fusion=dict(
            type='ExternalScores', score_file='data/anet13/cuhk_val_scores.json', topk=2),
        max_per_video=100))
