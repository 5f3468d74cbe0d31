# Table 9, classification sees the lower level too (paper: average mAP 73.8)
_base_ = ['../../cltdr_thumos_internvideo2.py']
model = dict(head=dict(cls_sources=['lower']))
