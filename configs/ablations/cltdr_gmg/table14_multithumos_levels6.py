# Table 14, MultiTHUMOS, 6 pyramid levels (paper: average mAP 44.9)
_base_ = ['../../cltdr_multithumos_videomaev2.py']
model = dict(num_levels=6)
