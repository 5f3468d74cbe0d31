# Table 14, EPIC-KITCHENS-100 verbs, 8 pyramid levels (paper: average mAP 24.7)
_base_ = ['../../cltdr_epic_verb.py']
model = dict(
    data_preprocessor=dict(size_divisor=128),
    backbone=dict(arch=(2, 2, 7)),
    neck=dict(num_levels=8),
    head=dict(regression_ranges=[
        (0, 4), (2, 8), (4, 16), (8, 32), (16, 64), (32, 128),
        (64, 256), (128, 10000)]))
