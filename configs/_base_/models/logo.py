# LoGo (STRL 2025), sized for THUMOS14 with I3D features; widths are TriDet's, the paper has none
model = dict(
    type='SingleStageLocalizer',
    data_preprocessor=dict(type='TALDataPreprocessor'),
    backbone=dict(type='LoGo', in_channels=2048, embed_dims=512, arch=(2, 0, 5), ffn_dims=768),
    neck=dict(type='IdentityNeck'),
    head=dict(
        type='CLFFHead',
        num_classes=20,
        # eq. 7, for whichever head an ablation puts here
        loss_reg=dict(type='GIoU1DLoss'),
        iou_power=1.0),
    postprocessor=dict(
        type='TALPostProcessor', nms=dict(type='SoftNMS', sigma=0.5), max_per_video=2000))
