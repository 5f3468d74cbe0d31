# AdaTAD on MultiTHUMOS, VideoMAE V2-g, 768 frames of 160 x 160 pixels
_base_ = ['./multithumos_s.py']
model = dict(front=dict(backbone={{_base_.videomaev2_g}}))
optim_wrapper = dict(paramwise_cfg=dict(custom_keys=dict(adapter=dict(lr_mult=1.0))))
