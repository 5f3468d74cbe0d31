# Table 5, 3 pyramid levels (paper: average mAP 61.8)
_base_ = ['../../logo_thumos.py']
model = dict(
    backbone=dict(arch=(2, 0, 2)),
    neck=dict(num_levels=3),
    head=dict(regression_ranges=[(0, 4), (4, 8), (8, 10000)]))
