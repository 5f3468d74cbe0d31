# Table 14, THUMOS14, 3 pyramid levels (paper: average mAP 68.3)
_base_ = ['../../cltdr_thumos_internvideo2.py']
model = dict(
    data_preprocessor=dict(size_divisor=4),
    backbone=dict(arch=(2, 2, 2)),
    neck=dict(num_levels=3),
    head=dict(regression_ranges=[(0, 4), (4, 8), (8, 10000)]))
