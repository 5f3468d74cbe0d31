# Table 14, MultiTHUMOS, 7 pyramid levels (paper: average mAP 44.0)
_base_ = ['../../cltdr_multithumos_videomaev2.py']
model = dict(
    data_preprocessor=dict(size_divisor=64),
    backbone=dict(arch=(2, 2, 6)),
    neck=dict(num_levels=7),
    head=dict(
        regression_ranges=[(0, 4), (4, 8), (8, 16), (16, 32), (32, 64), (64, 128), (128, 10000)]))
