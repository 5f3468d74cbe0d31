# Table 5, 3 pyramid levels (paper: average mAP 61.8)
_base_ = ['../../logo_thumos.py']
model = dict(num_levels=3)
