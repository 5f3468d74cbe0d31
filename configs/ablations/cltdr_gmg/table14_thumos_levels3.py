# Table 14, THUMOS14, 3 pyramid levels (paper: average mAP 68.3)
_base_ = ['../../cltdr_thumos_internvideo2.py']
model = dict(num_levels=3)
