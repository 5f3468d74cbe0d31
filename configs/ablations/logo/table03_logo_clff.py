# Table 3, LoGo blocks and CLFF-Head (paper: average mAP 69.2)
_base_ = ['../../logo_thumos.py']
