# Table 14, HACS, 5 pyramid levels (paper: average mAP 38.4)
_base_ = ['../../cltdr_hacs_slowfast.py']
model = dict(num_levels=5)
