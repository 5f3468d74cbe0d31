# Table 14, THUMOS14, 7 pyramid levels (paper: average mAP 73.6)
_base_ = ['../../cltdr_thumos_internvideo2.py']
model = dict(num_levels=7)
