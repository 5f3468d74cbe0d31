# Table 8, global view by self-attention (paper: average mAP 74.2)
_base_ = ['../../cltdr_thumos_internvideo2.py']
model = dict(backbone=dict(global_mixer='attention'))
