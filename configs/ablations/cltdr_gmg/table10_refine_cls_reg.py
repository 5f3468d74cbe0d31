# Table 10, both are refined (paper: average mAP 74.3)
_base_ = ['../../cltdr_thumos_internvideo2.py']
model = dict(head=dict(refine=['cls', 'reg']))
