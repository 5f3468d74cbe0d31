# Table 6, granularities of GMG: local, global (paper: average mAP 73.9)
_base_ = ['../../cltdr_thumos_internvideo2.py']
model = dict(backbone=dict(granularities=['local', 'global']))
