# Table 14, EPIC-KITCHENS-100 nouns, 3 pyramid levels (paper: average mAP 22.9)
_base_ = ['../../cltdr_epic_noun.py']
model = dict(num_levels=3)
