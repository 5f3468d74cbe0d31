# Table 14, THUMOS14, 8 pyramid levels (paper: average mAP 73.7)
_base_ = ['../../cltdr_thumos_internvideo2.py']
model = dict(num_levels=8)
