# Table 6, granularities of GMG: instant, local, global (paper: average mAP 74.3)
_base_ = ['../../cltdr_thumos_internvideo2.py']
model = dict(backbone=dict(granularities=['instant', 'local', 'global']))
