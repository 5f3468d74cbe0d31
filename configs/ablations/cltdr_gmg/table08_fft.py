# Table 8, global view by a Fourier filter (paper: average mAP 74.3)
_base_ = ['../../cltdr_thumos_internvideo2.py']
model = dict(backbone=dict(global_mixer='fft'))
