# Table 5, 4 pyramid levels (paper: average mAP 66.1)
_base_ = ['../../logo_thumos.py']
model = dict(num_levels=4)
