# Table 9, regression sees both neighbours too (paper: average mAP 73.2)
_base_ = ['../../cltdr_thumos_internvideo2.py']
model = dict(head=dict(reg_sources=['higher', 'lower']))
