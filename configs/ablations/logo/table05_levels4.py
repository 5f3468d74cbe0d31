# Table 5, 4 pyramid levels (paper: average mAP 66.1)
_base_ = ['../../logo_thumos.py']
model = dict(
    backbone=dict(arch=(2, 0, 3)),
    neck=dict(num_levels=4),
    head=dict(regression_ranges=[(0, 4), (4, 8), (8, 16), (16, 10000)]))
