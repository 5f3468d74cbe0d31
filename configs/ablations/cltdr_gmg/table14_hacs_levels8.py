# Table 14, HACS, 8 pyramid levels (paper: average mAP 38.9)
_base_ = ['../../cltdr_hacs_slowfast.py']
model = dict(
    data_preprocessor=dict(size_divisor=128),
    backbone=dict(arch=(2, 2, 7)),
    neck=dict(num_levels=8),
    head=dict(regression_ranges=[
        (0, 4), (4, 8), (8, 16), (16, 32), (32, 64), (64, 128),
        (128, 256), (256, 10000)]))
