# Table 14, ActivityNet-1.3, 6 pyramid levels (paper: average mAP 36.9)
_base_ = ['../../cltdr_anet_tsp.py']
model = dict(num_levels=6)
