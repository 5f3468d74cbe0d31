# Table 14, ActivityNet-1.3, 7 pyramid levels (paper: average mAP 37.1)
_base_ = ['../../cltdr_anet_tsp.py']
model = dict(num_levels=7)
