# HAPT, as table 13: ActionFormer's encoder before CLTDR
_base_ = ['../../cltdr_hapt.py']
model = dict(
    backbone=dict(
        _delete_=True, type='ActionFormer', in_channels=150, embed_dims=128, ffn_dims=192))
