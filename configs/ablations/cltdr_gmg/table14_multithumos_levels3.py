# Table 14, MultiTHUMOS, 3 pyramid levels (paper: average mAP 40.7)
_base_ = ['../../cltdr_multithumos_videomaev2.py']
model = dict(num_levels=3)
