# Table 9, regression sees its own level alone (paper: average mAP 73.4)
_base_ = ['../../cltdr_thumos_internvideo2.py']
model = dict(head=dict(reg_sources=[]))
