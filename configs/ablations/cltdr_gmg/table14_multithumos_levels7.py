# Table 14, MultiTHUMOS, 7 pyramid levels (paper: average mAP 44.0)
_base_ = ['../../cltdr_multithumos_videomaev2.py']
model = dict(num_levels=7)
