# Table 5, 7 pyramid levels (paper: average mAP 68.8)
_base_ = ['../../logo_thumos.py']
model = dict(
    backbone=dict(arch=(2, 0, 6)),
    neck=dict(num_levels=7),
    head=dict(
        regression_ranges=[(0, 4), (4, 8), (8, 16), (16, 32), (32, 64), (64, 128), (128, 10000)]))
