# Table 14, THUMOS14, 5 pyramid levels (paper: average mAP 73.0)
_base_ = ['../../cltdr_thumos_internvideo2.py']
model = dict(num_levels=5)
