# Table 14, EPIC-KITCHENS-100 nouns, 8 pyramid levels (paper: average mAP 23.4)
_base_ = ['../../cltdr_epic_noun.py']
model = dict(num_levels=8)
