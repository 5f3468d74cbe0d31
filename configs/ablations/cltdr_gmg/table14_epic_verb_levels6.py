# Table 14, EPIC-KITCHENS-100 verbs, 6 pyramid levels (paper: average mAP 26.0)
_base_ = ['../../cltdr_epic_verb.py']
model = dict(num_levels=6)
