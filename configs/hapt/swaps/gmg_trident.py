# HAPT, as table 12: GMG before TriDet's decoder
_base_ = ['../../tridet_hapt.py']
model = dict(
    backbone=dict(_delete_=True, type='GMG', in_channels=150, embed_dims=128, ffn_dims=192))
