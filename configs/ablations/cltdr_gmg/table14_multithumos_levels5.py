# Table 14, MultiTHUMOS, 5 pyramid levels (paper: average mAP 43.7)
_base_ = ['../../cltdr_multithumos_videomaev2.py']
model = dict(
    data_preprocessor=dict(size_divisor=16),
    backbone=dict(arch=(2, 2, 4)),
    neck=dict(num_levels=5),
    head=dict(regression_ranges=[(0, 4), (4, 8), (8, 16), (16, 32), (32, 10000)]))
