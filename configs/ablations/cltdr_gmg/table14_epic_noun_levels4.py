# Table 14, EPIC-KITCHENS-100 nouns, 4 pyramid levels (paper: average mAP 23.3)
_base_ = ['../../cltdr_epic_noun.py']
model = dict(num_levels=4)
