# AdaTAD on Charades, VideoMAE-B, 512 frames of 160 x 160 pixels
_base_ = ['./charades_s.py']
model = dict(front=dict(backbone={{_base_.videomae_b}}))
