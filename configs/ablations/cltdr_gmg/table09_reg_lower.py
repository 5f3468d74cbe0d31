# Table 9, regression sees the lower level too (paper: average mAP 74.3)
_base_ = ['../../cltdr_thumos_internvideo2.py']
model = dict(head=dict(reg_sources=['lower']))
