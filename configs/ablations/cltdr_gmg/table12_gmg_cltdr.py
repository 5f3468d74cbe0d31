# Table 12, GMG before CLTDR (paper: average mAP 74.3)
_base_ = ['../../cltdr_thumos_internvideo2.py']
