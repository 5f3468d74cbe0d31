# Table 10, only regression is refined (paper: average mAP 73.8)
_base_ = ['../../cltdr_thumos_internvideo2.py']
model = dict(head=dict(refine=['reg']))
