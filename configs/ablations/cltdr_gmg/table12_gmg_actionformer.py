# Table 12, GMG before ActionFormer's decoder, all else as there (paper: average mAP 72.7)
_base_ = ['../../actionformer_thumos_internvideo2.py']
model = dict(
    backbone=dict(
        _delete_=True, type='GMG', in_channels=3200, embed_dims=512, arch=(2, 2, 5), ffn_dims=768,
        kernel_size=1, init_std=0.))
