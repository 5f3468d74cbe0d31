# GMG before MMAction2's TCANet, with the values of its config for HACS but for the feature width.
# That file cannot be inherited: it brings its own data set.
model = dict(
    type='EncodedLocalizer',
    backbone=dict(type='GMG', in_channels=512, embed_dims=512, arch=(2, 2, 3), ffn_dims=1024),
    neck=dict(type='IdentityNeck'),
    localizer=dict(
        type='TCANet',
        feat_dim=512,
        se_sample_num=32,
        action_sample_num=64,
        temporal_dim=100,
        window_size=9,
        lgte_num=2,
        soft_nms_alpha=0.4,
        soft_nms_low_threshold=0.0,
        soft_nms_high_threshold=0.0,
        post_process_top_k=100),
    postprocessor=dict(
        type='TALPostProcessor', nms=dict(type='SoftNMS', sigma=0.4), max_per_video=100,
        min_score=0.))
