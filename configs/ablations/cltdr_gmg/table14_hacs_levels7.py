# Table 14, HACS, 7 pyramid levels (paper: average mAP 39.3)
_base_ = ['../../cltdr_hacs_slowfast.py']
model = dict(num_levels=7)
