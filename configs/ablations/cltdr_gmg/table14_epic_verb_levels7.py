# Table 14, EPIC-KITCHENS-100 verbs, 7 pyramid levels (paper: average mAP 25.3)
_base_ = ['../../cltdr_epic_verb.py']
model = dict(
    data_preprocessor=dict(size_divisor=64),
    backbone=dict(arch=(2, 2, 6)),
    neck=dict(num_levels=7),
    head=dict(
        regression_ranges=[(0, 4), (2, 8), (4, 16), (8, 32), (16, 64), (32, 128), (64, 10000)]))
