# Table 14, EPIC-KITCHENS-100 verbs, 7 pyramid levels (paper: average mAP 25.3)
_base_ = ['../../cltdr_epic_verb.py']
model = dict(num_levels=7)
