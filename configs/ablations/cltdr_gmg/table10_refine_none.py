# Table 10, nothing is refined (paper: average mAP 73.5)
_base_ = ['../../cltdr_thumos_internvideo2.py']
model = dict(head=dict(refine=[]))
