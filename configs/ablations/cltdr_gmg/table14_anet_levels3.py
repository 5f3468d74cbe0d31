# Table 14, ActivityNet-1.3, 3 pyramid levels (paper: average mAP 34.5)
_base_ = ['../../cltdr_anet_tsp.py']
model = dict(num_levels=3)
