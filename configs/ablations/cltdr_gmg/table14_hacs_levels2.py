# Table 14, HACS, 2 pyramid levels (paper: average mAP 30.2)
_base_ = ['../../cltdr_hacs_slowfast.py']
model = dict(num_levels=2)
