"""Records like the parity files, for any settings, computed by the slow reference."""
import json

import numpy as np
import torch
from published_layout import Layout
from reference_training import ReferenceTraining

RANGES = [[0, 4], [4, 8], [8, 16], [16, 32], [32, 64], [64, 10000]]


def published_settings(family: str, **changes) -> dict:
    """Small settings in the published layout.

    Args:
        family (str): 'cltdr', 'tridet', 'actionformer' or 'tmaxer'.
        **changes: Values by their published names, wherever they belong.
    """
    levels = changes.pop('levels', 3)
    train = dict(init_loss_norm=100, clip_grad_l2norm=1.0, cls_prior_prob=0.01,
                 center_sample='radius', center_sample_radius=1.5, loss_weight=1.0,
                 head_empty_cls=[], dropout=0.0, droppath=0.0, label_smoothing=0.0)
    test = dict(voting_thresh=0.7, pre_nms_topk=60, max_seg_num=40, min_score=0.001,
                multiclass_nms=True, pre_nms_thresh=0.001, iou_threshold=0.1, nms_method='soft',
                nms_sigma=0.5, duration_thresh=0.05, ext_score_file=None)
    model = dict(fpn_type='identity', max_buffer_len_factor=6.0, backbone_arch=[2, 1, levels - 1],
                 regression_range=RANGES[:levels - 1] + [[RANGES[levels - 1][0], 10000]],
                 scale_factor=2, embd_kernel_size=3, embd_dim=16, embd_with_ln=True, fpn_dim=16,
                 fpn_with_ln=True, head_dim=16, head_kernel_size=3, head_num_layers=3,
                 head_with_ln=True, use_abs_pe=False, input_dim=6, num_classes=3, max_seq_len=32)
    if family in ('cltdr', 'tridet'):
        model.update(backbone_type='SGP', n_sgp_win_size=1, num_bins=4, k=3, iou_weight_power=0.3,
                     use_trident_head=True, sgp_mlp_dim=24, input_noise=0.0,
                     boudary_kernel_size=3, downsample_type='max', init_conv_vars=0)
    elif family == 'actionformer':
        model.update(backbone_type='convTransformer', n_mha_win_size=5, n_head=4,
                     fpn_start_level=0, use_rel_pe=False)
    else:
        model.update(backbone_type='convPooler', backbone_arch=[2, levels - 1], fpn_start_level=0,
                     assigner=dict(iou_weight=2, cls_weight=1.0, center_radius=1.5,
                                   keep_percent=1.0, confuse_weight=0.0))
        train['center_sample'] = 'none'
    for name, value in changes.items():
        owners = [part for part in (model, train, test) if name in part] or [model]
        owners[0][name] = value
    return dict(model, train_cfg=train, test_cfg=test)


def make_video(steps: int, channels: int, classes: int, seed: int):
    """Features, and actions of all lengths, two of which differ in class alone."""
    rng = np.random.default_rng(seed)
    feats = torch.from_numpy(rng.normal(size=(channels, steps)))
    centres, lengths = rng.uniform(3, steps - 3, 6), rng.uniform(2, 24, 6)
    segments = np.stack([centres - lengths / 2, centres + lengths / 2], axis=1).clip(0, steps)
    segments = np.concatenate([segments, segments[:1] + 2e-4])
    labels = rng.integers(0, classes, 7)
    labels[-1] = (labels[0] + 1) % classes
    return feats, segments.astype(np.float32), labels


def reference_record(family: str, settings: dict, seed: int = 0, coarse: str = 'focal') -> dict:
    """What a parity file would hold, from random weights.

    Args:
        family (str): 'cltdr', 'tridet', 'actionformer' or 'tmaxer'.
        settings (dict): See :func:`published_settings`.
        seed (int): Of weights and videos. Defaults to 0.
        coarse (str): CLTDR-GMG's coarse loss. Defaults to 'focal'.
    """
    state = {name: value.requires_grad_()
             for name, value in Layout(family, settings).random_state(seed).items()}
    reference = ReferenceTraining(family, settings, state, coarse)
    length = settings['max_seq_len']
    videos = {name: make_video(steps, settings['input_dim'], settings['num_classes'], seed + i)
              for i, (name, steps) in enumerate((('full', length), ('short', length * 5 // 8)))}
    grid = dict(fps=30., stride=4, window=16)
    record = dict(meta=json.dumps(dict(name=family, tag=f'{family}_coarse_{coarse}',
                                       model=settings, **grid)))
    record.update({f'state/{name}': value.detach().numpy() for name, value in state.items()})
    with torch.no_grad():
        for name, (feats, segments, labels) in videos.items():
            outs = reference.outputs(feats)
            outs.pop('coarse_logits', None)
            record.update({f'{name}/feats': feats.numpy(), f'{name}/segments': segments,
                           f'{name}/labels': labels})
            for key, values in outs.items():
                turned = key in ('cls_logits', 'reg_out')
                for level, value in enumerate(values):
                    value = value.bool() if key == 'mask' else value
                    record[f'{name}/{key}/{level}'] = (value.T if turned else value).numpy()
            duration = (feats.shape[1] * grid['stride'] + grid['window']) / grid['fps']
            found = reference.detections(outs, duration=duration, **grid)
            record[f'{name}/det/segments'] = np.array([d[:2] for d in found]).reshape(-1, 2)
            record[f'{name}/det/scores'] = np.array([d[2] for d in found])
            record[f'{name}/det/labels'] = np.array([d[3] for d in found], dtype=np.int64)

    losses = reference.losses([(feats, segments.tolist(), labels.tolist())
                               for feats, segments, labels in videos.values()])
    losses['final_loss'].backward()
    for key, value in losses.items():
        record[f'loss/{key}'] = value.detach().numpy() if torch.is_tensor(value) else value
    record.update({
        f'gradnorm/{name}': np.array(0. if value.grad is None else value.grad.norm().item())
        for name, value in state.items()})
    return record
