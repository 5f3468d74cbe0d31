# Table 14, EPIC-KITCHENS-100 nouns, 1 pyramid level (paper: average mAP 20.5)
_base_ = ['../../cltdr_epic_noun.py']
model = dict(num_levels=1)
# without a neighbour the cross-level layers have nothing to do
find_unused_parameters = True
