# Table 14, ActivityNet-1.3, 2 pyramid levels (paper: average mAP 32.8)
_base_ = ['../../cltdr_anet_tsp.py']
model = dict(num_levels=2)
