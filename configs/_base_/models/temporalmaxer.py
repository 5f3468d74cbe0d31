# TemporalMaxer (2023), sized for THUMOS14 with I3D features
model = dict(
    type='SingleStageLocalizer',
    data_preprocessor=dict(type='TALDataPreprocessor'),
    backbone=dict(type='TemporalMaxer', in_channels=2048, embed_dims=512, arch=(2, 0, 5)),
    # group statistics, as the published THUMOS14 model
    neck=dict(type='IdentityNeck', norm='group'),
    head=dict(
        type='ActionFormerHead',
        num_classes=20,
        assigner=dict(type='SimOTAAssigner1D', radius=1.5, iou_weight=2.0, cls_weight=1.0)),
    postprocessor=dict(
        type='TALPostProcessor', nms=dict(type='SoftNMS', sigma=0.5), max_per_video=200))
