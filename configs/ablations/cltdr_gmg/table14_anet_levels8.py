# Table 14, ActivityNet-1.3, 8 pyramid levels (paper: average mAP 36.8)
_base_ = ['../../cltdr_anet_tsp.py']
model = dict(
    data_preprocessor=dict(size_divisor=128),
    backbone=dict(arch=(2, 2, 7)),
    neck=dict(num_levels=8),
    head=dict(regression_ranges=[
        (0, 4), (4, 8), (8, 16), (16, 32), (32, 64), (64, 128),
        (128, 256), (256, 10000)]))
