# HAPT, as table 13: ActionMamba's encoder before CLTDR
_base_ = ['../../cltdr_hapt.py']
model = dict(
    backbone=dict(_delete_=True, type='ActionMamba', in_channels=150, embed_dims=128))
