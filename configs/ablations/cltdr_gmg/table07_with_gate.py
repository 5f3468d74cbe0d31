# Table 7, GMG with gates (paper: average mAP 74.3)
_base_ = ['../../cltdr_thumos_internvideo2.py']
model = dict(backbone=dict(gate=True))
