"""Settings files of the published implementations, as configs of ours."""
from typing import Any

#: Published values by their own names; see `published_model`.
Settings = dict[str, Any]


def _windows(value, levels: int) -> list[int]:
    return [value] * levels if isinstance(value, int) else list(value)


def published_model(family: str, settings: Settings, coarse_loss: str = 'focal') -> dict:
    """Config of the localizer that computes what a published settings file asks for.

    Args:
        family (str): 'cltdr-gmg', 'tridet', 'actionformer' or 'temporalmaxer'.
        settings (dict): The published file's sections ``model``, ``train`` and ``test`` (there
            called ``train_cfg`` and ``test_cfg``).
        coarse_loss (str): 'focal' or 'varifocal', the coarse classification loss of CLTDR-GMG;
            a choice in its code, no setting. Defaults to 'focal'.

    Returns:
        dict: Config of a :class:`SingleStageLocalizer`, release variant throughout.

    Raises:
        ValueError: On another family or coarse loss.
        KeyError: If a setting is missing.
    """
    families = dict(zip(('cltdr-gmg', 'tridet', 'actionformer', 'temporalmaxer'),
                        (_cltdr, _tridet, _actionformer, _temporalmaxer)))
    if family not in families:
        raise ValueError(f'family must be one of {sorted(families)}, got {family!r}')
    if coarse_loss not in ('focal', 'varifocal'):
        raise ValueError(f"coarse_loss must be 'focal' or 'varifocal', got {coarse_loss!r}")
    model, train = settings['model'], settings['train']
    levels = model['backbone_arch'][-1] + 1
    backbone = dict(
        in_channels=model['input_dim'],
        embed_dims=model['embd_dim'],
        embed_kernel_size=model['embd_kernel_size'],
        embed_norm=model['embd_with_ln'],
        use_abs_pe=model.get('use_abs_pe', False),
        max_len=model['max_seq_len'],
        variant='release')
    if family != 'temporalmaxer':
        backbone.update(arch=tuple(model['backbone_arch']), drop_path=train['droppath'])
    head = dict(
        num_classes=model['num_classes'],
        in_channels=model['fpn_dim'],
        feat_channels=model['head_dim'],
        regression_ranges=[tuple(bounds) for bounds in model['regression_range']],
        num_layers=model['head_num_layers'],
        kernel_size=model['head_kernel_size'],
        variant='release',
        assigner=dict(type='CenterSamplingAssigner', radius=train.get('center_sample_radius')
                      if train['center_sample'] == 'radius' else None),
        reg_weight=train['loss_weight'] if train['loss_weight'] > 0 else None,
        label_smoothing=train['label_smoothing'],
        normalizer=dict(init=train['init_loss_norm']),
        prior_prob=train['cls_prior_prob'],
        test_cfg=dict(score_thr=settings['test']['pre_nms_thresh'],
                      nms_pre=settings['test']['pre_nms_topk'],
                      min_length=settings['test']['duration_thresh']))
    neck = dict(type='IdentityNeck', in_channels=model['fpn_dim'], num_levels=levels,
                norm='layer' if model['fpn_with_ln'] else None, variant='release')
    windows = families[family](model, train, backbone, neck, head, coarse_loss)
    # a local window must tile its level, also beyond the length that every video is padded to
    divisor = max(2**level * (window // 2 * 2 if window > 1 else 1)
                  for level, window in enumerate(_windows(windows, levels)))
    return dict(
        type='SingleStageLocalizer',
        data_preprocessor=dict(type='TALDataPreprocessor', size_divisor=divisor,
                               pad_to=model['max_seq_len'],
                               input_noise=model.get('input_noise', 0.)),
        backbone=backbone,
        neck=neck,
        head=head,
        postprocessor=published_postprocessor(settings['test']))


def _sgp_like(model: Settings, backbone: dict) -> None:
    # published depth-wise weights start at 0 where their standard deviation is 0
    backbone.update(ffn_dims=model['sgp_mlp_dim'], init_std=model['init_conv_vars'])


def _trident(model: Settings, head: dict) -> None:
    head.update(num_bins=model['num_bins'], boundary_kernel_size=model['boudary_kernel_size'],
                iou_power=model['iou_weight_power'])


def _cltdr(model, train, backbone, neck, head, coarse_loss):
    _sgp_like(model, backbone)
    backbone.update(type='GMG', kernel_size=model['n_sgp_win_size'])
    _trident(model, head)
    loss = dict(focal=dict(type='TALFocalLoss'),
                varifocal=dict(type='TALVarifocalLoss', alpha=0.25))[coarse_loss]
    head.update(type='CLTDRHead', loss_coarse=loss)
    return model['n_sgp_win_size']


def _tridet(model, train, backbone, neck, head, coarse_loss):
    _sgp_like(model, backbone)
    backbone.update(type='SGP', window_size=model['n_sgp_win_size'], k=model['k'])
    _trident(model, head)
    head.update(type='TridentHead')
    return model['n_sgp_win_size']


def _actionformer(model, train, backbone, neck, head, coarse_loss):
    backbone.update(type='ActionFormer', num_heads=model['n_head'], dropout=train['dropout'],
                    window_size=model['n_mha_win_size'])
    head.update(type='ActionFormerHead')
    return model['n_mha_win_size']


def _temporalmaxer(model, train, backbone, neck, head, coarse_loss):
    first, branch = model['backbone_arch']
    backbone.update(type='TemporalMaxer', arch=(first, 0, branch))
    if neck['norm'] is not None:
        neck['norm'] = dict(layernorm='layer', groupnorm='group')[
            model.get('fpn_norm', 'groupnorm')]
    head['type'] = 'ActionFormerHead'
    if 'assigner' in model:
        costs = model['assigner']
        head['assigner'] = dict(type='SimOTAAssigner1D', radius=costs['center_radius'],
                                iou_weight=costs['iou_weight'], cls_weight=costs['cls_weight'])
    return 1


def published_postprocessor(test: Settings) -> dict:
    """Config of the post-processing that a published ``test`` section asks for.

    External video-level scores are left to the config: their file is the user's.

    Args:
        test (dict): The published section.

    Returns:
        dict: Config of a TALPostProcessor.
    """
    if test['nms_method'] == 'none':
        nms = None
    elif test['nms_method'] == 'soft':
        nms = dict(type='SoftNMS', sigma=test['nms_sigma'], class_wise=test['multiclass_nms'])
    else:
        nms = dict(type='HardNMS', iou_threshold=test['iou_threshold'],
                   class_wise=test['multiclass_nms'])
    voting = None
    # under class-wise NMS the published code ignores its voting threshold
    if nms and not test['multiclass_nms'] and test['voting_thresh'] > 0:
        voting = dict(type='SegmentVoting', iou_threshold=test['voting_thresh'], class_wise=False)
    return dict(type='TALPostProcessor', nms=nms, voting=voting,
                max_per_video=test['max_seg_num'], min_score=test['min_score'])
