# CLTDR-GMG (AAAI 2025), sized for THUMOS14 with I3D features
model = dict(
    type='SingleStageLocalizer',
    data_preprocessor=dict(type='TALDataPreprocessor'),
    backbone=dict(type='GMG', in_channels=2048, embed_dims=512, arch=(2, 2, 5), ffn_dims=768),
    neck=dict(type='IdentityNeck'),
    head=dict(
        type='CLTDRHead',
        num_classes=20,
        num_bins=16),
    postprocessor=dict(
        type='TALPostProcessor', nms=dict(type='SoftNMS', sigma=0.5), max_per_video=2000))
