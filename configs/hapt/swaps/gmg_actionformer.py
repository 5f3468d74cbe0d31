# HAPT, as table 12: GMG before ActionFormer's decoder
_base_ = ['../../actionformer_hapt.py']
model = dict(
    backbone=dict(_delete_=True, type='GMG', in_channels=150, embed_dims=128, ffn_dims=192))
