# Table 14, THUMOS14, 4 pyramid levels (paper: average mAP 71.0)
_base_ = ['../../cltdr_thumos_internvideo2.py']
model = dict(
    data_preprocessor=dict(size_divisor=8),
    backbone=dict(arch=(2, 2, 3)),
    neck=dict(num_levels=4),
    head=dict(regression_ranges=[(0, 4), (4, 8), (8, 16), (16, 10000)]))
