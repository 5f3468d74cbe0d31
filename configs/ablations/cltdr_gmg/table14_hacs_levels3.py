# Table 14, HACS, 3 pyramid levels (paper: average mAP 32.7)
_base_ = ['../../cltdr_hacs_slowfast.py']
model = dict(num_levels=3)
