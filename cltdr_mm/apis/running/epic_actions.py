"""One test of two trainings, of verbs and of nouns: the action task of EPIC-KITCHENS-100."""
import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional, Union

import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner.checkpoint import CheckpointLoader

from ...datasets.classes import class_names
from ...engine import runtime
from ...engine.checkpoint_fit import check_classes, check_features, check_fit, checkpoint_features
from ...utils import atomic_path
from ...utils.json_files import shown

TASKS = ('verb', 'noun')
#: What says of a data set which of the two labels its segments have.
_OF_TASK = ('ann_file', 'task', 'metainfo')


def action_config(configs: Sequence[Config], names: Sequence[str]) -> Config:
    """Config of a test that finds actions, of two that find verbs and nouns.

    Data, windows, batch size and suppression are those of the verbs' config.

    Args:
        configs (Sequence[Config]): Of verbs and of nouns.
        names (Sequence[str]): Their files.

    Returns:
        Config: Its model is a :class:`.VerbNounLocalizer`. The first metric judges the actions; the
        second and third, under ``verb_alone`` and ``noun_alone``, what each model finds by itself.

    Raises:
        ValueError: If the two do not fit each other, or are of something else; names the files.
    """
    data = [_test_data(*each) for each in zip(configs, names, TASKS)]
    for key in sorted(set(data[0]) | set(data[1])):
        one, other = (dataset.get(key) for dataset in data)
        if key not in _OF_TASK and one != other:
            raise ValueError(f'{names[1]}: test_dataloader.dataset.{key} is {shown(other)}, but '
                             f'{shown(one)} in {names[0]}: both models have to see the same '
                             'features on one grid')
    metrics = [_metric(cfg, name) for cfg, name in zip(configs, names)]
    cfg = copy.deepcopy(configs[0])
    runtime.drop_training(cfg)
    runtime.drop_validation(cfg)
    cfg.model = dict(type='VerbNounLocalizer', **{
        task: copy.deepcopy(other.model) for task, other in zip(TASKS, configs)})
    merge = metrics[0].get('postprocessor')  # of the windows of a video
    cfg.model.postprocessor = copy.deepcopy(configs[0].model.get('postprocessor'))
    if merge is not None:
        cfg.model.postprocessor = dict(type='TALPostProcessor', max_per_video=-1)
    shared = {key: metrics[0][key] for key in ('protocol', 'subset', 'postprocessor', 'tie_order')
              if key in metrics[0]}
    cfg.test_evaluator = [
        dict(type='EPICActionMetric', ann_file=metrics[0].ann_file,
             noun_ann_file=metrics[1].ann_file, **shared),
        *(dict(metric, prefix=f'{task}_alone', predictions=f'{task}_instances',
               classes=list(class_names(f'epic100_{task}')))
          for task, metric in zip(TASKS, metrics))]
    return cfg


def _test_data(cfg: Config, name: str, task: str) -> dict:
    dataset = (cfg.get('test_dataloader') or {}).get('dataset')
    if not isinstance(dataset, dict) or dataset.get('type') != 'EPICKitchens100Dataset':
        raise ValueError(f'{name}: test_dataloader.dataset must be an EPICKitchens100Dataset, got '
                         f'{shown((dataset or {}).get("type"))}')
    if dataset.get('task', TASKS[0]) != task:
        raise ValueError(f'{name}: test_dataloader.dataset.task is {shown(dataset.task)}, where '
                         f'{task!r} is wanted: first the config of verbs, then the one of nouns')
    return dataset


def _metric(cfg: Config, name: str) -> dict:
    metric = runtime.metrics_of(cfg, 'test_evaluator')[0]
    if metric.get('type') != 'TALMetric' or not metric.get('ann_file'):
        raise ValueError(f'{name}: test_evaluator must be a TALMetric with an ann_file, got '
                         f'{shown(metric.get("type"))}')
    return metric


def set_subset(cfg: Config, subset: str) -> None:
    """Test another subset, such as the challenge's, whose annotations are hidden.

    Args:
        cfg (Config): From :func:`action_config`.
        subset (str): Its name in the annotation files.
    """
    for part in (cfg.test_dataloader.dataset, *cfg.test_evaluator):
        part.subset = subset


def set_out_dir(cfg: Config, folder: str) -> None:
    """Write detections and metrics.

    Args:
        cfg (Config): From :func:`action_config`.
        folder (str): Folder of the actions' files; ``verb`` and ``noun`` in it have those of the
            models alone.
    """
    for part, name in zip(cfg.test_evaluator, ('', *TASKS)):
        part.out_dir = str(Path(folder, name))


def join_checkpoints(configs: Sequence[Config], checkpoints: Sequence[str], names: Sequence[str],
                     out_file: Union[str, Path]) -> None:
    """Make the checkpoint of a :class:`.VerbNounLocalizer` of those of its two models.

    Args:
        configs (Sequence[Config]): Of verbs and of nouns.
        checkpoints (Sequence[str]): Files or URLs, of verbs and of nouns.
        names (Sequence[str]): Files of the configs.
        out_file (str or Path): Checkpoint to write.

    Raises:
        TALDataError: If a checkpoint is not of its config; names it and what does not fit.
        ValueError: If a model has other classes than EPIC-KITCHENS-100.
    """
    init_default_scope('mmaction')
    state: dict[str, torch.Tensor] = {}
    classes: list[tuple[str, ...]] = []
    features: Optional[dict[str, Any]] = None
    for task, cfg, path, name in zip(TASKS, configs, checkpoints, names):
        classes.append(class_names(f'epic100_{task}'))
        model = MODELS.build(cfg.model)
        found = getattr(getattr(model, 'head', None), 'num_classes', None)
        if found != len(classes[-1]):
            raise ValueError(f'{name}: the model has {found} classes, EPIC-KITCHENS-100 has '
                             f'{len(classes[-1])} {task}s')
        checkpoint = CheckpointLoader.load_checkpoint(path, 'cpu')
        check_fit(checkpoint, model, path)
        check_classes(checkpoint, classes[-1], path)
        check_features(features, checkpoint_features(checkpoint), path)
        features = features or checkpoint_features(checkpoint)
        weights = checkpoint.get('state_dict', checkpoint)
        state.update({f'{task}.{key}': value for key, value in weights.items()})
    meta = dict(dataset_meta=dict(classes=list(classes[0])))
    if features is not None:
        meta['dataset_meta']['features'] = features
    with atomic_path(out_file) as temporary:
        torch.save(dict(meta=meta, state_dict=state), temporary)
