# Table 3, LoGo blocks, plain regression head (paper: average mAP 68.0)
_base_ = ['../../logo_thumos.py']
model = dict(head=dict(type='ActionFormerHead'))
