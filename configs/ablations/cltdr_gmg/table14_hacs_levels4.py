# Table 14, HACS, 4 pyramid levels (paper: average mAP 35.5)
_base_ = ['../../cltdr_hacs_slowfast.py']
model = dict(num_levels=4)
