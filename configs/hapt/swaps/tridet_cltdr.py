# HAPT, as table 13: TriDet's encoder before CLTDR
_base_ = ['../../cltdr_hapt.py']
model = dict(
    backbone=dict(
        _delete_=True, type='SGP', in_channels=150, embed_dims=128, ffn_dims=192, k=5))
