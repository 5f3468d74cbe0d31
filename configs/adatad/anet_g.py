# AdaTAD on ActivityNet-1.3, VideoMAE V2-g, 768 frames of 160 x 160 pixels
_base_ = ['./anet_s.py']
model = dict(front=dict(backbone={{_base_.videomaev2_g}}))
