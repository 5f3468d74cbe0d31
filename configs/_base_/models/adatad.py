# AdaTAD (CVPR 2024): adapters in a frozen video transformer, before ActionFormer; for THUMOS14
model = dict(
    type='EndToEndLocalizer',
    data_preprocessor=dict(type='TALVideoPreprocessor'),
    front=dict(
        type='ClipFront',
        frames_per_step=1,
        tuning='adapter',
        adapter=dict(type='TIAdapter', ratio=0.25),
        with_cp=True,
        # the size is one of videomae.py; positions are for 224 pixels and are resized
        backbone=dict(
            type='VisionTransformer', img_size=224, patch_size=16, drop_path_rate=0.1,
            return_feat_map=True)),
    backbone=dict(type='ActionFormer', embed_dims=512, arch=(2, 2, 5), window_size=-1),
    neck=dict(type='IdentityNeck'),
    head=dict(type='ActionFormerHead', num_classes=20),
    # windows overlap: the metric puts them together first
    postprocessor=dict(type='TALPostProcessor'))
