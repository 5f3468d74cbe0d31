# ActionMamba (Video Mamba Suite, 2024), sized for THUMOS14 with InternVideo2-6B features
model = dict(
    type='SingleStageLocalizer',
    data_preprocessor=dict(type='TALDataPreprocessor'),
    backbone=dict(type='ActionMamba', in_channels=3200, embed_dims=512, arch=(2, 2, 5)),
    neck=dict(type='IdentityNeck'),
    head=dict(type='ActionFormerHead', num_classes=20),
    postprocessor=dict(
        type='TALPostProcessor', nms=dict(type='SoftNMS', sigma=0.5), max_per_video=200))
