# Table 14, EPIC-KITCHENS-100 verbs, 6 pyramid levels (paper: average mAP 26.0)
_base_ = ['../../cltdr_epic_verb.py']
model = dict(
    data_preprocessor=dict(size_divisor=32),
    backbone=dict(arch=(2, 2, 5)),
    neck=dict(num_levels=6),
    head=dict(regression_ranges=[(0, 4), (2, 8), (4, 16), (8, 32), (16, 64), (32, 10000)]))
