# CausalTAD (2024), sized for THUMOS14 with I3D features
_base_ = ['./actionmamba.py']
model = dict(
    norm_eps=1e-6,
    backbone=dict(type='CausalTAD', in_channels=2048, input_dropout=0.3),
    head=dict(normalizer=dict(init=250)),
    postprocessor=dict(max_per_video=2000))
