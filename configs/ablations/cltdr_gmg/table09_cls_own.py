# Table 9, classification sees its own level alone (paper: average mAP 73.3)
_base_ = ['../../cltdr_thumos_internvideo2.py']
model = dict(head=dict(cls_sources=[]))
