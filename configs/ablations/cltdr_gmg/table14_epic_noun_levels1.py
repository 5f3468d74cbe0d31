# Table 14, EPIC-KITCHENS-100 nouns, 1 pyramid level (paper: average mAP 20.5)
_base_ = ['../../cltdr_epic_noun.py']
model = dict(
    data_preprocessor=dict(size_divisor=1),
    backbone=dict(arch=(2, 2, 0)),
    neck=dict(num_levels=1),
    head=dict(regression_ranges=[(0, 10000)]))
# without a neighbour the cross-level layers have nothing to do
find_unused_parameters = True
