"""SetupCheckHook: asks before a run what else would end it after an epoch: do its parts fit?"""
import logging
from collections.abc import Mapping, Sequence
from typing import Any, Optional

import torch
from mmaction.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from mmengine.runner import BaseLoop

from ...structures import TimeMajor
from ...utils import TALDataError, moved_class
from ...utils.feature_settings import differing
from ..checkpoint_fit import (
    check_classes,
    check_features,
    check_fit,
    check_overlap,
    checkpoint_features,
)
from ..folds import check_fold
from ..mmaction_fit import check_anet_metric, check_clips, check_localizer


@HOOKS.register_module()
class SetupCheckHook(Hook):
    """Check that model, data sets, metrics and video-level scores fit each other.

    Every data set that the run will use must have as many classes as the head, labels below its
    ``num_classes``, and sequences of the backbone's ``in_channels``, or frames for a model with a
    ``front``, as many a step as it takes, and the transforms of its
    pipeline must accept its videos (``check_videos``). For those that are validated or tested, the
    model's post-processor is told the class names (``set_classes``, for files in another order),
    and it and every metric must accept the videos (``check_videos``); metrics are told whether
    anything suppresses a point head's candidates (``set_suppressed``). A training that keeps its
    best checkpoint needs something to find in its validation set (``check_instances`` of the
    metrics), and a metric that is measured (``metric_names``). Parts without these attributes are
    not asked. MMAction2's BMN, TEM, TCANet and ANetMetric must get what they read, and the clips of
    its VideoDataset must be there (:mod:`cltdr_mm.engine.mmaction_fit`). Class-agnostic data sets,
    and models that take classes from scores of whole videos, may have more classes than the head.

    A checkpoint that is tested or resumed must have exactly the weights of the model, and the
    classes of the data set in their order, and features of the kind that it was trained on, where
    manifests say of which they are; on a fold, it must have been trained on that fold; one that
    is resumed must be of the same kind of optimizer. One that a training starts from
    (``load_from``) must have some of the weights.

    Warnings say that validation is on steps of another length than the training, and what a
    ``front`` remarks (``remark``) in a training that starts from no checkpoint.
    """

    priority = 'HIGH'  # before the hooks that take from a checkpoint what they find

    def __init__(self) -> None:
        self._checked: set[int] = set()

    def before_train(self, runner) -> None:
        """Check length, training and validation set; raises ValueError if something is wrong."""
        _check_length(runner.train_loop)
        self._check(runner, runner.train_loop)
        self._check(runner, runner.val_loop)
        model = _model(runner)
        front = getattr(model, 'front', None)
        if hasattr(front, 'remark') and not any(getattr(part, name, None) for part, name in (
                (runner, '_load_from'), (runner, '_resume'), (model, 'init_cfg'))):
            _warn(front.remark())
        if runner.val_loop is not None:
            check_validation(_dataset(runner.train_loop), _dataset(runner.val_loop),
                             _metrics(runner.val_loop), [
                                 getattr(hook, 'save_best', None)
                                 for hook in getattr(runner, 'hooks', ())])

    def before_val(self, runner) -> None:
        """Check the validation set, see :meth:`before_train`."""
        self._check(runner, runner.val_loop)

    def before_test(self, runner) -> None:
        """Check the test set, see :meth:`before_train`."""
        self._check(runner, runner.test_loop)

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        """Compare a checkpoint with the model and the data set; raises TALDataError."""
        name = str(runner._load_from or 'the latest checkpoint')
        model = _model(runner)
        trains = isinstance(runner._train_loop, BaseLoop)
        if trains and not runner._resume:
            check_overlap(checkpoint, model, name)
            return
        check_fit(checkpoint, model, name)
        if runner._resume and not {'meta', 'message_hub', 'optimizer'} <= set(checkpoint):
            raise TALDataError.of('checkpoint', name, 'optimizer', 'is missing: weights alone '
                                  'cannot be resumed, a training starts from them by load_from')
        if runner._resume:
            _check_optimizer(checkpoint['optimizer'], runner.optim_wrapper, name)
        loops = [runner._train_loop] if trains else [runner._val_loop, runner._test_loop]
        for loop in loops:
            if isinstance(loop, BaseLoop):
                check_classes(checkpoint, _classes(loop.dataloader.dataset), name)
                check_features(checkpoint_features(checkpoint), _features(_dataset(loop)), name)
                check_fold(checkpoint, getattr(_dataset(loop), 'ann_file', None), name)

    def _check(self, runner, loop: Any) -> None:
        if loop is None or id(loop) in self._checked:  # each validation of a training comes here
            return
        self._checked.add(id(loop))
        judges = None if not hasattr(loop, 'evaluator') else _metrics(loop)
        check_parts(_model(runner), loop.dataloader.dataset, judges,
                    getattr(loop.dataloader, 'batch_size', None))


def check_parts(model: torch.nn.Module, dataset: Any, judges: Optional[Sequence] = None,
                batch_size: Optional[int] = None) -> None:
    """Check that a model, a data set and metrics fit each other, see :class:`SetupCheckHook`.

    Args:
        model (nn.Module): Not wrapped for parallel training.
        dataset: A data set; one without ``get_data_info`` is not asked.
        judges (Sequence, optional): Metrics of what is predicted for it. Defaults to None: it is
            trained on, and nothing is predicted.
        batch_size (int, optional): Of its data loader, where one is known. Defaults to None.

    Raises:
        TALDataError: If something does not fit.
        ValueError: If the data set is none.
    """
    if isinstance(dataset, (str, int, float, type(None))):
        raise ValueError(f'dataset of a dataloader must be dict(type=...), got {dataset!r}')
    if not hasattr(dataset, 'get_data_info'):
        return
    infos = [dataset.get_data_info(i) for i in range(len(dataset))]
    check_clips(dataset, infos)
    _check_labels(infos, model, dataset)
    _ask_transforms(dataset)
    _check_channels(model, dataset)
    check_localizer(model, dataset, infos, judges, batch_size)
    if judges is None:
        return
    check_anet_metric(dataset, infos, judges)
    videos = sorted({info['video_name'] for info in infos if 'video_name' in info})
    processor = getattr(model, 'postprocessor', None)
    if hasattr(processor, 'set_classes'):
        processor.set_classes(_classes(dataset))
    # a point head gives many segments for one action; MMAction2's localizers suppress their own
    suppressed = (getattr(processor, 'nms', None) is not None
                  or not hasattr(getattr(model, 'head', None), 'all_points'))
    for judge in (processor, *judges):
        if hasattr(judge, 'set_suppressed'):
            judge.set_suppressed(suppressed)
        if hasattr(judge, 'check_videos'):
            judge.check_videos(videos)


HOOKS.register_module(module=moved_class(
    'ExternalScoresHook', 'SetupCheckHook, which asks for video-level scores too (it is among the '
    'default hooks of configs/: leave this one out)'))


def _model(runner):
    return runner.model.module if is_model_wrapper(runner.model) else runner.model


def _metrics(loop: Any) -> Sequence:
    return getattr(getattr(loop, 'evaluator', None), 'metrics', ())


def _check_length(loop: Any) -> None:
    for name in ('max_epochs', 'max_iters', 'val_interval'):
        value = getattr(loop, name, 1)
        if value is not None and value < 1:
            raise ValueError(f'train_cfg.{name} must be at least 1, got {value}')


def check_validation(training: Any, validation: Any, judges: Sequence,
                     save_best: Sequence) -> None:
    """Check that a validation set suits a training, and that what it keeps is measured on it.

    Args:
        training: The training set.
        validation: The validation set.
        judges (Sequence): Metrics of the validation.
        save_best (Sequence): ``save_best`` of checkpoint hooks: names, lists of names, or None.

    Raises:
        TALDataError: If their features are of two kinds, or nothing is there to be found.
        ValueError: If what the best checkpoint goes by is not measured.
    """
    found = differing(_features(training), _features(validation))
    if found:
        _refuse(validation, 'features', 'were made otherwise than those of the training '
                f'({"; ".join(found)}, the training first)')
    one, other = _grid(training), _grid(validation)
    if None not in (one, other) and one != other:
        name = getattr(validation, 'ann_file', 'validation set')
        _warn(f'{name}: feature_stride and feature_window are {_pair(other)}, but {_pair(one)} of '
              'the training set: steps of another length than the model learns from')
    wanted = [name for names in save_best for name in (
        [names] if isinstance(names, str) else names or [])]
    if not wanted or not judges:
        return
    for judge in judges:
        if hasattr(judge, 'check_instances'):
            judge.check_instances()
    if all(hasattr(judge, 'metric_names') for judge in judges):
        known = [name for judge in judges for name in judge.metric_names()]
        for name in wanted:
            if name not in ('auto', *known):
                raise ValueError(f'default_hooks.checkpoint.save_best: val_evaluator measures no '
                                 f'`{name}`, but {", ".join(known)}')


def _check_optimizer(state: Any, optim_wrapper: Any, name: str) -> None:
    """Refuse the state of another kind of optimizer, which would fail in the first step."""
    groups = state.get('param_groups') if isinstance(state, Mapping) else None
    optimizer = getattr(optim_wrapper, 'optimizer', None)
    if not groups or optimizer is None:
        return
    # versions of torch add settings; another optimizer also lacks some
    saved, own = set(groups[0]), set(optimizer.param_groups[0])
    if saved - own and own - saved:
        raise TALDataError.of(
            'checkpoint', name, 'optimizer', f'is not of {type(optimizer).__name__}, which the '
            f'config has: {sorted(saved - own)} are left over, {sorted(own - saved)} are missing')


def _classes(dataset) -> Optional[Sequence[str]]:
    return (getattr(dataset, 'metainfo', None) or {}).get('classes')


def _dataset(loop: Any) -> Any:
    return getattr(getattr(loop, 'dataloader', None), 'dataset', None)


def _features(dataset: Any) -> Mapping[str, Any]:
    """How the features of a data set were made, if they have a manifest."""
    return (getattr(dataset, 'metainfo', None) or {}).get('features') or {}


def _grid(dataset: Any) -> Optional[tuple]:
    """Stride and window of the steps of a data set, in frames; None if videos differ in them."""
    if not hasattr(dataset, 'get_data_info'):
        return None
    infos = [dataset.get_data_info(i) for i in range(len(dataset))]
    found = {(info.get('stride'), info.get('window')) for info in infos}
    grid = found.pop() if len(found) == 1 else (None, )
    return None if None in grid else grid


def _pair(grid: tuple) -> str:
    return ' and '.join(f'{value:g}' for value in grid)


def _warn(message: str) -> None:
    if message:
        print_log(message, logger='current', level=logging.WARNING)


def _check_labels(infos: list[dict], model, dataset) -> None:
    num_classes = getattr(getattr(model, 'head', None), 'num_classes', None)
    if num_classes is None:
        return
    but = f'but model.head.num_classes is {num_classes}: `cltdr init` writes a config that fits'
    number = len(_classes(dataset) or ()) or num_classes
    # with scores of whole videos the classes come from elsewhere
    fused = getattr(getattr(model, 'postprocessor', None), 'fusion', None) is not None
    if not fused and (num_classes > number or (
            num_classes < number and not _class_agnostic(dataset))):
        _refuse(dataset, 'classes', f'there are {number}, by the list in this file or in metainfo '
                                    f'of the data set, {but}')
    top = max((int(max(info['gt_labels'], default=-1)) for info in infos
               if 'gt_labels' in info), default=-1)
    if top >= num_classes:
        _refuse(dataset, 'label', f'there are instances of class {top + 1}, counted from one, '
                                  f'{but}')


def _class_agnostic(dataset: Any) -> bool:
    """Whether all labels of a data set, or of one in it, are 0, whatever its classes are."""
    return getattr(dataset, 'class_agnostic', False) or any(map(_class_agnostic, _parts(dataset)))


def _parts(dataset: Any) -> list:
    """Data sets in one that repeats or joins others."""
    return getattr(dataset, 'datasets', None) or list(
        filter(None, [getattr(dataset, 'dataset', None)]))


def _ask_transforms(dataset) -> None:
    """Let the transforms of a data set, or of those in it, check the videos that they will get."""
    for part in _parts(dataset):
        _ask_transforms(part)
    for step in getattr(getattr(dataset, 'pipeline', None), 'transforms', ()):
        if hasattr(step, 'check_videos'):
            infos = (dataset.get_data_info(i) for i in range(len(dataset)))
            step.check_videos(sorted({i['video_name'] for i in infos if 'video_name' in i}))


def _check_channels(model, dataset) -> None:
    expected = getattr(getattr(model, 'backbone', None), 'in_channels', None)
    if not isinstance(expected, int) or len(dataset) == 0:
        return
    sample = dataset[0]
    inputs = sample.get('inputs') if isinstance(sample, dict) else None
    if isinstance(sample, dict) and inputs is None:
        _refuse(dataset, 'pipeline', "makes no samples with `inputs`: does it end with "
                                     "dict(type='PackTALInputs')?")
    front = getattr(model, 'front', None)
    packed = sample.get('data_samples') if isinstance(sample, dict) else None
    frames = (isinstance(inputs, torch.Tensor) and inputs.ndim == 4
              and 'num_steps' in getattr(packed, 'metainfo', ()))
    if frames and front is None:
        _refuse(dataset, 'pipeline', "gives frames (3, F, H, W), but the model takes features: "
                                     'frames are for an EndToEndLocalizer')
    if front is not None:
        if not frames:
            _refuse(dataset, 'pipeline', 'gives no frames (3, F, H, W), which model.front takes: '
                                         'videos are read by a TALVideoDataset')
        per_step = inputs.shape[1] // packed.num_steps
        if per_step != front.frames_per_step:
            _refuse(dataset, 'frames_per_step', f'is {per_step}, but '
                    f'model.front.frames_per_step is {front.frames_per_step}')
        return
    channels = None
    if isinstance(inputs, TimeMajor):
        channels = inputs.rows.shape[1]
    elif isinstance(inputs, torch.Tensor) and inputs.ndim == 2:
        channels = len(inputs)  # (C, T), as MMAction2's data sets give them
    if channels not in (None, expected):
        remark = getattr(model.backbone, 'stream_remark', lambda channels: '')(channels)
        _refuse(dataset, 'channels', f'features have {channels} channels, but '
                                     f'model.backbone.in_channels is {expected}{remark}')


def _refuse(dataset, field: str, message: str) -> None:
    name = getattr(dataset, 'ann_file', type(dataset).__name__)
    raise TALDataError.of('the data do not fit the model', name, field, message)
