# Table 4, row 3: CLFF-Head (paper: average mAP 69.2)
_base_ = ['../../logo_thumos.py']
model = dict(head=dict(type='CLFFHead'))
