"""Settings files of the published implementations, as configs of ours."""
from collections.abc import Mapping
from typing import Any, Optional

from torch import Tensor

#: Published values by their own names; see `published_model`.
Settings = dict[str, Any]


def _windows(value, levels: int) -> list[int]:
    return [value] * levels if isinstance(value, int) else list(value)

_SGP = dict(backbone_type='SGP', downsample_type='max', use_trident_head=True)
#: Settings that a family's code knows, but only one value of which is built here. A value that
#: nobody looked at would cost accuracy without a sign of it.
_ONLY = {
    'cltdr-gmg': _SGP,
    'tridet': _SGP,
    'actionformer': dict(backbone_type='convTransformer', use_rel_pe=False),
    'temporalmaxer': dict(backbone_type='convPooler'),
}
_ONLY_ALL = dict(fpn_type='identity', fpn_start_level=0, scale_factor=2, head_with_ln=True)
_ONLY_ASSIGNER = dict(keep_percent=1.0, confuse_weight=0.0)


def _check_supported(family: str, model: Settings) -> None:
    """Raise ValueError for settings that would have to be ignored."""
    sections = [('model', model, {**_ONLY_ALL, **_ONLY[family]}),
                ('model.assigner', model.get('assigner', {}), _ONLY_ASSIGNER)]
    for name, section, only in sections:
        for key, value in only.items():
            if section.get(key, value) != value:
                raise ValueError(f'{family}: {name}.{key} is {section[key]!r}, but only '
                                 f'{value!r} is supported')
    if model['fpn_dim'] != model['embd_dim']:
        raise ValueError(f'{family}: model.fpn_dim is {model["fpn_dim"]}, but the identity neck '
                         f'keeps model.embd_dim, {model["embd_dim"]}')


def published_model(family: str, settings: Settings, coarse_loss: str = 'focal',
                    state: Optional[Mapping[str, Tensor]] = None) -> dict:
    """Config of the localizer that computes what a published settings file asks for.

    Args:
        family (str): 'cltdr-gmg', 'tridet', 'actionformer' or 'temporalmaxer'.
        settings (dict): The published file's sections ``model``, ``train`` and ``test`` (there
            called ``train_cfg`` and ``test_cfg``).
        coarse_loss (str): 'focal' or 'varifocal', the coarse classification loss of CLTDR-GMG;
            a choice in its code, no setting. Defaults to 'focal'.
        state (Mapping[str, Tensor], optional): Published state dict: the kernels of CLTDR-GMG's
            refine head, no settings either, are read off its shapes. Defaults to None: those of
            the other towers, and 7 for its offsets.

    Returns:
        dict: Config of a :class:`SingleStageLocalizer`, release variant throughout.

    Raises:
        ValueError: On another family or coarse loss, or a value that is not supported.
        KeyError: If a setting is missing.
    """
    families = dict(zip(('cltdr-gmg', 'tridet', 'actionformer', 'temporalmaxer'),
                        (_cltdr, _tridet, _actionformer, _temporalmaxer)))
    if family not in families:
        raise ValueError(f'family must be one of {sorted(families)}, got {family!r}')
    if coarse_loss not in ('focal', 'varifocal'):
        raise ValueError(f"coarse_loss must be 'focal' or 'varifocal', got {coarse_loss!r}")
    model, train = settings['model'], settings['train']
    _check_supported(family, model)
    levels = model['backbone_arch'][-1] + 1
    backbone = dict(
        in_channels=model['input_dim'],
        embed_dims=model['embd_dim'],
        embed_kernel_size=model['embd_kernel_size'],
        embed_norm=model['embd_with_ln'],
        use_abs_pe=model.get('use_abs_pe', False),
        max_len=model['max_seq_len'])
    if family != 'temporalmaxer':
        backbone.update(arch=tuple(model['backbone_arch']), drop_path=train['droppath'])
    head = dict(
        num_classes=model['num_classes'],
        in_channels=model['fpn_dim'],
        feat_channels=model['head_dim'],
        regression_ranges=[tuple(bounds) for bounds in model['regression_range']],
        num_layers=model['head_num_layers'],
        kernel_size=model['head_kernel_size'],
        assigner=dict(type='CenterSamplingAssigner', radius=train.get('center_sample_radius')
                      if train['center_sample'] == 'radius' else None),
        reg_weight=train['loss_weight'] if train['loss_weight'] > 0 else None,
        label_smoothing=train['label_smoothing'],
        normalizer=dict(init=train['init_loss_norm']),
        prior_prob=train['cls_prior_prob'] or 0.5,  # published: 0 leaves the bias at 0
        test_cfg=dict(score_thr=settings['test']['pre_nms_thresh'],
                      nms_pre=settings['test']['pre_nms_topk'],
                      min_length=settings['test']['duration_thresh']))
    neck = dict(type='IdentityNeck', in_channels=model['fpn_dim'], num_levels=levels,
                norm='layer' if model['fpn_with_ln'] else None)
    windows = families[family](model, train, backbone, neck, head, coarse_loss)
    if family == 'cltdr-gmg' and state:
        head.update(_refine_kernels(state))
    if family == 'actionformer':  # its local attention works in blocks of two half windows
        windows = [window // 2 * 2 for window in _windows(windows, levels)]
    # what videos beyond the maximum length are padded to a multiple of: in units of the windows
    divisor = max(2**level * max(window, 1)
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
    backbone.update(ffn_dims=model['sgp_mlp_dim'], init_std=model['init_conv_vars'],
                    stem_drop_path=0., scale_undropped=False)


def _trident(model: Settings, head: dict) -> None:
    head.update(num_bins=model['num_bins'], boundary_kernel_size=model['boudary_kernel_size'],
                iou_power=model['iou_weight_power'], detach_iou=False)


def _refine_kernels(state: Mapping[str, Tensor]) -> dict:
    """Kernels of the refine head."""
    keys = dict(trunk='head.0', cls='prob_head', offset='s_offset_head')
    sizes = {name: state[key].shape[-1] for name, part in keys.items()
             if (key := f'refineHead.{part}.conv.weight') in state}
    return dict(refine_kernel_sizes=sizes)


def _cltdr(model, train, backbone, neck, head, coarse_loss):
    _sgp_like(model, backbone)
    backbone.update(type='GMG', kernel_size=model['n_sgp_win_size'], stem_kernel_size=1,
                    gate_act=None, global_mixer='affine', fft_norm='ortho', force_float32=True)
    _trident(model, head)
    loss = dict(focal=dict(type='TALFocalLoss'),
                varifocal=dict(type='TALVarifocalLoss', alpha=0.25,
                               positives_by_target=True))[coarse_loss]
    head.update(
        type='CLTDRHead', iou_targets=False, balance_negatives=False, boundary_feats='pyramid',
        fusion_depthwise=False, fusion_kernel_size=1, score_fusion='logit_product',
        offsets_per_class=True, offset_unit='grid', normalizer_moves='half',
        refine_kernel_sizes=dict(trunk=head['kernel_size'], cls=head['kernel_size'], offset=7),
        loss_reg=dict(type='DIoU1DLoss'), loss_coarse=loss,
        loss_cls=dict(type='TALVarifocalLoss', alpha=0.25, positives_by_target=True))
    return model['n_sgp_win_size']


def _tridet(model, train, backbone, neck, head, coarse_loss):
    _sgp_like(model, backbone)
    backbone.update(type='SGP', window_size=model['n_sgp_win_size'], k=model['k'],
                    stem_window_size=1)
    _trident(model, head)
    head.update(type='TridentHead')
    return model['n_sgp_win_size']


def _actionformer(model, train, backbone, neck, head, coarse_loss):
    backbone.update(type='ActionFormer', num_heads=model['n_head'], dropout=train['dropout'],
                    window_size=model['n_mha_win_size'], scale_undropped=False)
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
    result = dict(type='TALPostProcessor', nms=nms, max_per_video=test['max_seg_num'],
                  min_score=test['min_score'])
    # under class-wise NMS the published code ignores its voting threshold
    if nms and not test['multiclass_nms'] and test['voting_thresh'] > 0:
        result['voting'] = dict(type='SegmentVoting', iou_threshold=test['voting_thresh'],
                                class_wise=False)
    return result
