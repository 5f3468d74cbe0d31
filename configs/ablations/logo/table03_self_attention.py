# Table 3, row 2: ActionFormer's self-attention, plain regression head (paper: average mAP 66.8)
_base_ = ['../../logo_thumos.py']
model = dict(
    backbone=dict(
        _delete_=True, type='ActionFormer', in_channels=2048, embed_dims=512, arch=(2, 2, 5)),
    head=dict(type='ActionFormerHead'))
