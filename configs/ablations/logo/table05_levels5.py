# Table 5, 5 pyramid levels (paper: average mAP 67.8)
_base_ = ['../../logo_thumos.py']
model = dict(
    backbone=dict(arch=(2, 0, 4)),
    neck=dict(num_levels=5),
    head=dict(regression_ranges=[(0, 4), (4, 8), (8, 16), (16, 32), (32, 10000)]))
