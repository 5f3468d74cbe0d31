# Table 5, 5 pyramid levels (paper: average mAP 67.8)
_base_ = ['../../logo_thumos.py']
model = dict(num_levels=5)
