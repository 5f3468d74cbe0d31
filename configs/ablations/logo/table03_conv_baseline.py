# Table 3, row 1: convolutional pyramid, plain regression head (paper: average mAP 62.1)
_base_ = ['../../logo_thumos.py']
model = dict(
    backbone=dict(
        _delete_=True, type='ConvPyramid', in_channels=2048, embed_dims=512, arch=(2, 0, 5)),
    head=dict(type='ActionFormerHead'))
