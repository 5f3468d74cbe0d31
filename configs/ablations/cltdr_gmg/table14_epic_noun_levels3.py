# Table 14, EPIC-KITCHENS-100 nouns, 3 pyramid levels (paper: average mAP 22.9)
_base_ = ['../../cltdr_epic_noun.py']
model = dict(
    data_preprocessor=dict(size_divisor=4),
    backbone=dict(arch=(2, 2, 2)),
    neck=dict(num_levels=3),
    head=dict(regression_ranges=[(0, 4), (2, 8), (4, 10000)]))
