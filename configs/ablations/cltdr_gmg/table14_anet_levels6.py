# Table 14, ActivityNet-1.3, 6 pyramid levels (paper: average mAP 36.9)
_base_ = ['../../cltdr_anet_tsp.py']
model = dict(
    data_preprocessor=dict(size_divisor=32),
    backbone=dict(arch=(2, 2, 5)),
    neck=dict(num_levels=6),
    head=dict(regression_ranges=[(0, 4), (4, 8), (8, 16), (16, 32), (32, 64), (64, 10000)]))
