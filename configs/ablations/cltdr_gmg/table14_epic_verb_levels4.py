# Table 14, EPIC-KITCHENS-100 verbs, 4 pyramid levels (paper: average mAP 24.3)
_base_ = ['../../cltdr_epic_verb.py']
model = dict(num_levels=4)
