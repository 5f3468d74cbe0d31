# Table 8, global view by self-attention (paper: average mAP 74.2)
_base_ = ['../../cltdr_thumos_internvideo2.py']
# This encoder has 18.62 M parameters, 16.85 M with the 2048 input channels that the paper's 26.1 M
# go with. docs/methods/gmg.md, 'The attention of table 8', says what may lie between.
model = dict(backbone=dict(global_mixer='attention'))
