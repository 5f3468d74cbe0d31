# GMG before MMAction2's BMN, its config as it is: the encoder has the width BMN expects
_base_ = ['mmaction::_base_/models/bmn_400x100.py']
model = dict(
    _delete_=True,
    type='EncodedLocalizer',
    backbone=dict(type='GMG', in_channels=512, embed_dims=400, arch=(2, 2, 3), ffn_dims=800),
    neck=dict(type='IdentityNeck'),
    localizer={{_base_.model}},
    # BMN has its own soft-NMS
    postprocessor=dict(type='TALPostProcessor', nms=None, max_per_video=100, min_score=0.))
