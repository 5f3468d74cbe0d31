# Table 9, classification sees both neighbours too (paper: average mAP 74.0)
_base_ = ['../../cltdr_thumos_internvideo2.py']
model = dict(head=dict(cls_sources=['higher', 'lower']))
