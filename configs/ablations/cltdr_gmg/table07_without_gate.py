# Table 7, GMG without gates (paper: average mAP 73.9)
_base_ = ['../../cltdr_thumos_internvideo2.py']
model = dict(backbone=dict(gate=False))
