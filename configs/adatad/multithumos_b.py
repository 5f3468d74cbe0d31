# AdaTAD on MultiTHUMOS, VideoMAE-B, 768 frames of 160 x 160 pixels
_base_ = ['./multithumos_s.py']
model = dict(front=dict(backbone={{_base_.videomae_b}}))
