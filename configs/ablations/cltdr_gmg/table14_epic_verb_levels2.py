# Table 14, EPIC-KITCHENS-100 verbs, 2 pyramid levels (paper: average mAP 22.4)
_base_ = ['../../cltdr_epic_verb.py']
model = dict(
    data_preprocessor=dict(size_divisor=2),
    backbone=dict(arch=(2, 2, 1)),
    neck=dict(num_levels=2),
    head=dict(regression_ranges=[(0, 4), (2, 10000)]))
