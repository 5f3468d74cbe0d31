# Table 5, 6 pyramid levels (paper: average mAP 69.2)
_base_ = ['../../logo_thumos.py']
model = dict(
    backbone=dict(arch=(2, 0, 5)),
    neck=dict(num_levels=6),
    head=dict(regression_ranges=[(0, 4), (4, 8), (8, 16), (16, 32), (32, 64), (64, 10000)]))
