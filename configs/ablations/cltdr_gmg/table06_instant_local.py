# Table 6, granularities of GMG: instant, local (paper: average mAP 73.6)
_base_ = ['../../cltdr_thumos_internvideo2.py']
model = dict(backbone=dict(granularities=['instant', 'local']))
