# GMG before MMAction2's TEM (BSN), its config as it is: the encoder has the width TEM expects
_base_ = ['mmaction::_base_/models/bsn_tem.py']
model = dict(
    _delete_=True,
    type='EncodedLocalizer',
    backbone=dict(type='GMG', in_channels=512, embed_dims=400, arch=(2, 2, 3), ffn_dims=800),
    neck=dict(type='IdentityNeck'),
    localizer={{_base_.model}},
    postprocessor=dict(
        type='TALPostProcessor', nms=dict(type='SoftNMS', sigma=0.4), max_per_video=100,
        min_score=0.))
