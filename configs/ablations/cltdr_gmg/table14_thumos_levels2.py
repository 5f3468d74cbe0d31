# Table 14, THUMOS14, 2 pyramid levels (paper: average mAP 63.7)
_base_ = ['../../cltdr_thumos_internvideo2.py']
model = dict(
    data_preprocessor=dict(size_divisor=2),
    backbone=dict(arch=(2, 2, 1)),
    neck=dict(num_levels=2),
    head=dict(regression_ranges=[(0, 4), (4, 10000)]))
