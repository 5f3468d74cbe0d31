# AdaTAD for EPIC-KITCHENS-100
_base_ = ['./adatad.py']
model = dict(
    front=dict(frames_per_step=8),
    backbone=dict(window_size=9, input_dropout=0.2),
    head=dict(
        num_classes=97,
        # neighbouring ranges overlap: most actions of this data set are short
        regression_ranges=[(0, 4), (2, 8), (4, 16), (8, 32), (16, 64), (32, 10000)],
        reg_weight=0.5, normalizer=dict(init=250), test_cfg=dict(nms_pre=5000)))
