# Table 13, CLTDR after GMG (paper: average mAP 74.3)
_base_ = ['../../cltdr_thumos_internvideo2.py']
