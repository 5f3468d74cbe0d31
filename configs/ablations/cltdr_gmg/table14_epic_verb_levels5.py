# Table 14, EPIC-KITCHENS-100 verbs, 5 pyramid levels (paper: average mAP 24.4)
_base_ = ['../../cltdr_epic_verb.py']
model = dict(
    data_preprocessor=dict(size_divisor=16),
    backbone=dict(arch=(2, 2, 4)),
    neck=dict(num_levels=5),
    head=dict(regression_ranges=[(0, 4), (2, 8), (4, 16), (8, 32), (16, 10000)]))
