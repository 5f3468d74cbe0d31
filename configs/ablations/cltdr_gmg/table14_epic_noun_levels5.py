# Table 14, EPIC-KITCHENS-100 nouns, 5 pyramid levels (paper: average mAP 23.6)
_base_ = ['../../cltdr_epic_noun.py']
model = dict(
    data_preprocessor=dict(size_divisor=16),
    backbone=dict(arch=(2, 2, 4)),
    neck=dict(num_levels=5),
    head=dict(regression_ranges=[(0, 4), (2, 8), (4, 16), (8, 32), (16, 10000)]))
