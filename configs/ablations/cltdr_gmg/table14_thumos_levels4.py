# Table 14, THUMOS14, 4 pyramid levels (paper: average mAP 71.0)
_base_ = ['../../cltdr_thumos_internvideo2.py']
model = dict(num_levels=4)
