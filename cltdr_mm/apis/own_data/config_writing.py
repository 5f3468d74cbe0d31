"""Writes a config for a user's own data: short, inheriting, each value with its reason."""
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Optional, Union

import torch
from mmaction.registry import MODELS
from mmengine.registry import init_default_scope

from ...resources import config_path
from ...utils import atomic_path
from ..running.config_files import config_from_file
from .config_text import Name, assignment, comment
from .data_check import CheckedData
from .suggestions import MAX_LEN, Suggestions

#: Methods that a config can be based on: files of configs/_base_/models.
METHODS = ('cltdr_gmg', 'actionformer', 'asl', 'logo', 'temporalmaxer', 'tridet')


def config_text(data: CheckedData, chosen: Suggestions, method: str = 'cltdr_gmg',
                title: str = '', model: Optional[Mapping] = None,
                load_from: Optional[str] = None) -> str:
    """Write a config as text.

    Args:
        data (CheckedData): From :func:`.check_annotations`.
        chosen (Suggestions): For these data.
        method (str): One of :data:`METHODS`. Defaults to ``'cltdr_gmg'``.
        title (str): First line of the file, a comment. Defaults to ``''``.
        model (Mapping, optional): A complete model in place of the method's. Defaults to None.
        load_from (str, optional): Checkpoint to start from. Defaults to None.

    Returns:
        str: The file.
    """
    bases = [f'_base_/{name}' for name in ('datasets/common', 'schedules/adamw_cosine')]
    bases = [*([] if model is not None else [f'_base_/models/{method}']), *bases,
             '_base_/default_runtime']
    lines = comment(title) if title else []
    lines += comment('Why a number is what it is stands above it; docs/choosing_settings.md has '
                     'the rules. Change what you like: `cltdr check` looks at the result.')
    lines += assignment('_base_', [f'cltdr_mm::{base}.py' for base in bases])
    lines += ['', *_data_lines(data, chosen), '']
    if model is None:
        lines += assignment('model', model_changes(method, data, chosen))
    else:
        lines += comment('the model of the checkpoint, for these channels and classes')
        lines += assignment('model', model)
    lines += ['', *_schedule_lines(chosen, 'validation' in data.subsets)]
    if load_from is not None:
        lines += ['', *comment('weights that fit are taken from here, the others start anew'),
                  *assignment('load_from', load_from)]
    return '\n'.join(lines) + '\n'


def model_changes(method: str, data: CheckedData, chosen: Suggestions) -> dict[str, Any]:
    """What a config changes in the model that it inherits: levels, widths, classes.

    Args:
        method (str): One of :data:`METHODS`.
        data (CheckedData): What the model is for.
        chosen (Suggestions): Levels and width.

    Returns:
        dict: For :func:`.assignment`.
    """
    base = config_from_file(config_path(f'_base_/models/{method}')).model
    backbone: dict[str, Any] = dict(in_channels=data.channels, embed_dims=chosen.width)
    if 'ffn_dims' in base.backbone:  # in proportion to the width as in the base
        backbone['ffn_dims'] = chosen.width.value * 3 // 2
    head: dict[str, Any] = dict(num_classes=len(data.training.classes))
    if 'head' in base.head:  # a head around a head
        head = dict(head=head)
    return dict(num_levels=chosen.num_levels, backbone=backbone, head=head)


def write_config(text: str, path: Union[str, Path]) -> torch.nn.Module:
    """Write a config, if it can be read and its model can be built.

    Args:
        text (str): From :func:`config_text`.
        path (str or Path): A file that is not there yet.

    Returns:
        nn.Module: The model.

    Raises:
        FileExistsError: If the file is there.
        ValueError: If the config makes no sense; nothing is written then.
    """
    if Path(path).exists():
        raise FileExistsError(f'{path} is there already: name another file, or remove it')
    init_default_scope('mmaction')
    with atomic_path(path) as temporary:
        Path(temporary).write_text(text, encoding='utf-8')
        model = MODELS.build(config_from_file(temporary).model)
    return model


def _data_lines(data: CheckedData, chosen: Suggestions) -> list[str]:
    training, ann_file = data.training, Name('ann_file')
    lines = comment(f'{training.num_videos} videos with {training.num_instances} instances of '
                    f'{len(training.classes)} classes to train on')
    if data.manifest is not None:
        rate = data.manifest.get('fps')
        lines += comment(f'their features: stride {data.manifest["stride"]:g}, window '
                         f'{data.manifest["window"]:g}, frame rate '
                         f'{"of each video" if rate is None else f"{rate:g}"}, which the data set '
                         'reads from the manifest beside them')
    lines += assignment('ann_file', data.features['ann_file'])
    lines += assignment('features', dict(data.features, ann_file=ann_file))
    loader: dict[str, Any] = dict(batch_size=chosen.batch_size)
    if chosen.max_len.value != MAX_LEN:
        lines += comment(chosen.max_len.reason)
        lines += assignment('train_pipeline', [
            dict(type='LoadTALFeature'),
            dict(type='RandomCropFeature', max_len=chosen.max_len.value, trunc_thresh=0.5,
                 crop_ratio=(0.9, 1.0)),
            dict(type='PackTALInputs')])
        loader['dataset'] = dict(pipeline=Name('train_pipeline'))
    names = data.names.named()

    def subset(role: str) -> dict[str, Any]:
        return {} if names[role] is None else dict(subset=names[role])

    def judged(role: str) -> dict[str, Any]:
        tious = {} if chosen.tious.value is None else dict(tious=chosen.tious)
        return dict(protocol='custom', ann_file=ann_file, subset=names[role], **tious)

    loader['dataset'] = {**subset('training'), **loader.get('dataset', {}), '**features': None}
    lines += assignment('train_dataloader', loader)
    for key, roles in dict(val=('validation', ), test=('test', 'validation')).items():
        role = next((role for role in roles if role in names), None)
        if role is None:
            lines += _nothing_to_judge(key)
        else:
            lines += assignment(f'{key}_dataloader',
                                dict(dataset={**subset(role), '**features': None}))
            lines += assignment(f'{key}_evaluator', judged(role))
    return lines


def _nothing_to_judge(key: str) -> list[str]:
    why = dict(
        val='There is no validation subset, and the test subset is not looked at while training: '
        'the last checkpoint counts. Call some videos `validation` in the annotation file.',
        test='Nothing is there to be tested on.')
    return comment(why[key]) + [f'{key}_cfg = {key}_dataloader = {key}_evaluator = None']


def _schedule_lines(chosen: Suggestions, validated: bool) -> list[str]:
    epochs: dict[str, Any] = dict(max_epochs=chosen.epochs)
    if validated:
        epochs['val_interval'] = chosen.val_interval
    return [line for name, value in dict(
        train_cfg=epochs,
        param_scheduler=dict(warmup=chosen.warmup),
        optim_wrapper=dict(optimizer=dict(lr=chosen.lr)),
        auto_scale_lr=dict(base_batch_size=chosen.batch_size.value),
    ).items() for line in assignment(name, value)]
