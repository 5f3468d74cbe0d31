# Table 14, EPIC-KITCHENS-100 nouns, 6 pyramid levels (paper: average mAP 24.5)
_base_ = ['../../cltdr_epic_noun.py']
model = dict(num_levels=6)
