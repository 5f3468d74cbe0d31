# TriDet (CVPR 2023), sized for THUMOS14 with I3D features
model = dict(
    type='SingleStageLocalizer',
    data_preprocessor=dict(type='TALDataPreprocessor'),
    backbone=dict(
        type='SGP', in_channels=2048, embed_dims=512, arch=(2, 2, 5), ffn_dims=768, window_size=1,
        k=5),
    neck=dict(type='IdentityNeck'),
    head=dict(
        type='TridentHead',
        num_classes=20,
        num_bins=16,
        iou_power=0.2),
    postprocessor=dict(
        type='TALPostProcessor', nms=dict(type='SoftNMS', sigma=0.5), max_per_video=2000))
