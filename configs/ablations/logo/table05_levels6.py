# Table 5, 6 pyramid levels (paper: average mAP 69.2)
_base_ = ['../../logo_thumos.py']
model = dict(num_levels=6)
