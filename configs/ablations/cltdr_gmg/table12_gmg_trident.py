# Table 12, GMG before TriDet's decoder, all else as there (paper: average mAP 73.4)
_base_ = ['../../tridet_thumos_internvideo2.py']
model = dict(
    backbone=dict(
        _delete_=True, type='GMG', in_channels=3200, embed_dims=512, arch=(2, 2, 5), ffn_dims=768,
        kernel_size=1, init_std=0.))
