# Table 6, granularities of GMG: instant, global (paper: average mAP 73.8)
_base_ = ['../../cltdr_thumos_internvideo2.py']
model = dict(backbone=dict(granularities=['instant', 'global']))
