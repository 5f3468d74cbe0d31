# AdaTAD on ActivityNet-1.3, VideoMAE-H, 768 frames of 160 x 160 pixels
_base_ = ['./anet_s.py']
model = dict(front=dict(backbone={{_base_.videomae_h}}))
