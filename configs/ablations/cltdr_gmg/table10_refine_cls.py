# Table 10, only classification is refined (paper: average mAP 73.9)
_base_ = ['../../cltdr_thumos_internvideo2.py']
model = dict(head=dict(refine=['cls']))
