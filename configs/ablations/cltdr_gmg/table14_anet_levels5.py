# Table 14, ActivityNet-1.3, 5 pyramid levels (paper: average mAP 36.5)
_base_ = ['../../cltdr_anet_tsp.py']
model = dict(num_levels=5)
