# Table 14, HACS, 6 pyramid levels (paper: average mAP 39.2)
_base_ = ['../../cltdr_hacs_slowfast.py']
model = dict(num_levels=6)
