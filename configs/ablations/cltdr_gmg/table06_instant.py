# Table 6, granularities of GMG: instant (paper: average mAP 73.4)
_base_ = ['../../cltdr_thumos_internvideo2.py']
model = dict(backbone=dict(granularities=['instant']))
