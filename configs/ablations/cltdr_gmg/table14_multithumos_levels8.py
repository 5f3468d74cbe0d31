# Table 14, MultiTHUMOS, 8 pyramid levels (paper: average mAP 44.3)
_base_ = ['../../cltdr_multithumos_videomaev2.py']
model = dict(num_levels=8)
