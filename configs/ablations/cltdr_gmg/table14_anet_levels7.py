# Table 14, ActivityNet-1.3, 7 pyramid levels (paper: average mAP 37.1)
_base_ = ['../../cltdr_anet_tsp.py']
model = dict(
    data_preprocessor=dict(size_divisor=64),
    backbone=dict(arch=(2, 2, 6)),
    neck=dict(num_levels=7),
    head=dict(
        regression_ranges=[(0, 4), (4, 8), (8, 16), (16, 32), (32, 64), (64, 128), (128, 10000)]))
