# HAPT, as table 13: TemporalMaxer's encoder, with its neck, before CLTDR
_base_ = ['../../cltdr_hapt.py']
model = dict(
    backbone=dict(_delete_=True, type='TemporalMaxer', in_channels=150, embed_dims=128),
    neck=dict(norm='group'))
