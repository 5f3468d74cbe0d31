# Table 14, MultiTHUMOS, 4 pyramid levels (paper: average mAP 42.5)
_base_ = ['../../cltdr_multithumos_videomaev2.py']
model = dict(num_levels=4)
