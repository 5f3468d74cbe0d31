# Table 14, MultiTHUMOS, 2 pyramid levels (paper: average mAP 36.7)
_base_ = ['../../cltdr_multithumos_videomaev2.py']
model = dict(
    data_preprocessor=dict(size_divisor=2),
    backbone=dict(arch=(2, 2, 1)),
    neck=dict(num_levels=2),
    head=dict(regression_ranges=[(0, 4), (4, 10000)]))
