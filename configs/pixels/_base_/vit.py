# A VisionTransformer of MMAction2 small enough for one core: 128 tokens of 64 channels a clip. A
# recognizer has it as it is, fronts with its feature map.
clip_backbone = dict(
    type='VisionTransformer',
    img_size=48,
    patch_size=12,
    embed_dims=64,
    depth=2,
    num_heads=4,
    num_frames=16,
    # as wide as so narrow layers need it
    init_cfg=[
        dict(type='TruncNormal', layer='Linear', std=0.12, bias=0.),
        dict(type='Constant', layer='LayerNorm', val=1., bias=0.)
    ])
front_backbone = dict(return_feat_map=True, **clip_backbone)
