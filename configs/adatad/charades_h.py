# AdaTAD on Charades, VideoMAE-H, 512 frames of 160 x 160 pixels
_base_ = ['./charades_s.py']
model = dict(front=dict(backbone={{_base_.videomae_h}}))
optim_wrapper = dict(paramwise_cfg=dict(custom_keys=dict(adapter=dict(lr_mult=1.0))))
