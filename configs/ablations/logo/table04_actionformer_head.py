# Table 4, row 1: ActionFormer's regression head (paper: average mAP 68.0)
_base_ = ['../../logo_thumos.py']
model = dict(head=dict(type='ActionFormerHead'))
