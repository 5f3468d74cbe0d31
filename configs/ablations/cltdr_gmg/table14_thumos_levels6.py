# Table 14, THUMOS14, 6 pyramid levels (paper: average mAP 74.3)
_base_ = ['../../cltdr_thumos_internvideo2.py']
model = dict(num_levels=6)
