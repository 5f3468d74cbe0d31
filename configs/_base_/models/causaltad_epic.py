# CausalTAD for EPIC-KITCHENS-100
_base_ = ['./causaltad.py']
model = dict(
    backbone=dict(in_channels=2304, input_dropout=0.2, use_abs_pe=True),
    head=dict(
        num_classes=97,
        # neighbouring ranges overlap: most actions of this data set are short
        regression_ranges=[(0, 4), (2, 8), (4, 16), (8, 32), (16, 64), (32, 10000)],
        reg_weight=0.5,
        test_cfg=dict(nms_pre=5000)),
    postprocessor=dict(
        nms=dict(sigma=0.4),
        voting=dict(type='SegmentVoting', iou_threshold=0.75),
        max_per_video=3000))
