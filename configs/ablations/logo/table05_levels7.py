# Table 5, 7 pyramid levels (paper: average mAP 68.8)
_base_ = ['../../logo_thumos.py']
model = dict(num_levels=7)
