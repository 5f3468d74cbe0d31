# Table 6, granularities of GMG: global (paper: average mAP 73.5)
_base_ = ['../../cltdr_thumos_internvideo2.py']
model = dict(backbone=dict(granularities=['global']))
