# Table 14, MultiTHUMOS, 2 pyramid levels (paper: average mAP 36.7)
_base_ = ['../../cltdr_multithumos_videomaev2.py']
model = dict(num_levels=2)
