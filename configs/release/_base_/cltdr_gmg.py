# CLTDR-GMG as published, with the settings of THUMOS14 with I3D features
_base_ = ['./published.py']
model = dict(
    type='SingleStageLocalizer',
    data_preprocessor=dict(
        type='TALDataPreprocessor', size_divisor=32, pad_to=2304, input_noise=0.05),
    backbone=dict(
        type='GMG', in_channels=2048, embed_dims=512, embed_kernel_size=3, embed_norm=True,
        use_abs_pe=False, max_len=2304, arch=(2, 2, 5), drop_path=0.1, stem_drop_path=0.,
        scale_undropped=False, gate_act=None, global_mixer='affine', fft_norm='ortho',
        force_float32=True, ffn_dims=768, init_std=0, kernel_size=1, stem_kernel_size=1),
    neck=dict(type='IdentityNeck', in_channels=512, num_levels=6, norm='layer'),
    head=dict(
        type='CLTDRHead', num_classes=20, in_channels=512, feat_channels=512,
        regression_ranges=[(0, 4), (4, 8), (8, 16), (16, 32), (32, 64), (64, 10000)],
        num_layers=3, kernel_size=3, detach_iou=False,
        assigner=dict(type='CenterSamplingAssigner', radius=1.5), reg_weight=1.0,
        label_smoothing=0.0, normalizer=dict(init=100), prior_prob=0.01,
        test_cfg=dict(score_thr=0.001, nms_pre=2000, min_length=0.05), num_bins=16,
        boundary_kernel_size=3, iou_power=0.2, balance_negatives=False,
        iou_targets=False, boundary_feats='pyramid', fusion_depthwise=False, fusion_kernel_size=1,
        score_fusion='logit_product', offsets_per_class=True, offset_unit='grid',
        refine_kernel_sizes=dict(trunk=3, cls=3, offset=7), normalizer_moves='half',
        loss_cls=dict(type='TALVarifocalLoss', alpha=0.25, positives_by_target=True),
        loss_reg=dict(type='DIoU1DLoss'), loss_coarse=dict(type='TALFocalLoss')),
    postprocessor=dict(
        type='TALPostProcessor', nms=dict(type='SoftNMS', sigma=0.5, class_wise=True),
        max_per_video=2000, min_score=0.001))
