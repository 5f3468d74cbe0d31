# Table 14, MultiTHUMOS, 5 pyramid levels (paper: average mAP 43.7)
_base_ = ['../../cltdr_multithumos_videomaev2.py']
model = dict(num_levels=5)
