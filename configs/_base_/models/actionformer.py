# ActionFormer (ECCV 2022), sized for THUMOS14 with I3D features
model = dict(
    type='SingleStageLocalizer',
    data_preprocessor=dict(type='TALDataPreprocessor'),
    backbone=dict(
        type='ActionFormer', in_channels=2048, embed_dims=512, arch=(2, 2, 5), window_size=19),
    neck=dict(type='IdentityNeck'),
    head=dict(
        type='ActionFormerHead',
        num_classes=20),
    postprocessor=dict(
        type='TALPostProcessor', nms=dict(type='SoftNMS', sigma=0.5), max_per_video=200))
