# Table 14, THUMOS14, 2 pyramid levels (paper: average mAP 63.7)
_base_ = ['../../cltdr_thumos_internvideo2.py']
model = dict(num_levels=2)
