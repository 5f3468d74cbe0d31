# Table 14, MultiTHUMOS, 4 pyramid levels (paper: average mAP 42.5)
_base_ = ['../../cltdr_multithumos_videomaev2.py']
model = dict(
    data_preprocessor=dict(size_divisor=8),
    backbone=dict(arch=(2, 2, 3)),
    neck=dict(num_levels=4),
    head=dict(regression_ranges=[(0, 4), (4, 8), (8, 16), (16, 10000)]))
