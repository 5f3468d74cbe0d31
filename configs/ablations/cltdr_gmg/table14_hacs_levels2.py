# Table 14, HACS, 2 pyramid levels (paper: average mAP 30.2)
_base_ = ['../../cltdr_hacs_slowfast.py']
model = dict(
    data_preprocessor=dict(size_divisor=2),
    backbone=dict(arch=(2, 2, 1)),
    neck=dict(num_levels=2),
    head=dict(regression_ranges=[(0, 4), (4, 10000)]))
