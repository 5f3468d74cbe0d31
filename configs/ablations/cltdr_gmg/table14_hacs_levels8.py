# Table 14, HACS, 8 pyramid levels (paper: average mAP 38.9)
_base_ = ['../../cltdr_hacs_slowfast.py']
model = dict(num_levels=8)
