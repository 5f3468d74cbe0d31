"""Looks at data as a training would, without one: what is wrong, what is there, what would fit."""
import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Optional

import torch
from mmaction.registry import DATASETS, MODELS, PARAM_SCHEDULERS
from mmengine.config import Config
from mmengine.evaluator import Evaluator
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope

from ...datasets import ResizeFeature, TALDataset, TALVideoDataset, read_annotation_file
from ...datasets.feature_files import feature_shape
from ...datasets.own_data import (
    Subsets,
    find_classes,
    find_features,
    find_subsets,
    find_timing,
)
from ...datasets.statistics import SubsetStatistics
from ...datasets.statistics_tables import levels_text, statistics_text, suggestions_table
from ...engine.hooks.setup_check import check_parts, check_validation
from ...engine.runtime import metrics_of
from ...utils import Problem, TALDataError
from .data_remarks import remarks
from .suggestions import Suggestions, regression_ranges, suggest

_TITLE = 'data'


@dataclass
class CheckedData:
    """Data that passed all checks.

    Args:
        subsets (dict[str, SubsetStatistics]): By what they are for: ``training``,
            ``validation``, ``test``.
        channels (int): Of the features; of videos what the model's front makes of their frames.
        ranges (list, optional): Regression ranges of the model of a config. Defaults to None.
        names (Subsets, optional): Subsets of an annotation file. Defaults to None.
        features (dict): Arguments of :class:`.TALDataset` but for the subset. Defaults to {}.
        manifest (dict, optional): What the features' manifest says. Defaults to None: there is
            none.
        frames (bool): Whether a model reads frames of videos. Defaults to False: features.
    """

    subsets: dict[str, SubsetStatistics]
    channels: int
    ranges: Optional[list[tuple[float, float]]] = None
    names: Optional[Subsets] = None
    features: dict[str, Any] = field(default_factory=dict)
    manifest: Optional[dict[str, Any]] = None
    frames: bool = False

    @property
    def training(self) -> SubsetStatistics:
        """SubsetStatistics: Of the training subset."""
        return self.subsets['training']

    def ranges_with(self, suggestions: Suggestions) -> list[tuple[float, float]]:
        """Regression ranges of the model, or of one with the levels that are suggested."""
        return self.ranges or regression_ranges(suggestions.num_levels.value)

    def text(self, suggestions: Suggestions) -> str:
        """Everything there is to tell: tables, remarks, suggestions.

        Args:
            suggestions (Suggestions): For these data.
        """
        ranges = self.ranges_with(suggestions)
        said = remarks(self.subsets, ranges)
        rows = suggestions.rows()
        if self.frames:
            # the other rules are of features, which take a fraction of the memory and time
            rows = [row for row in rows if row[0] in ('num_levels', 'tious')]
        if self.features.get('check_label_id') is False:
            said.append('label_id numbers the classes in another way: names count, ids do not')
        return '\n'.join([
            statistics_text(self.subsets), levels_text(self.training, ranges),
            suggestions_table(rows), *(f'note: {line}' for line in said)])


def check_annotations(ann_file: str, folders: Sequence[str], stride: Any = None,
                      window: Optional[float] = None, fps: Optional[float] = None,
                      **asked: Optional[str]) -> CheckedData:
    """Check an annotation file and the features that belong to it.

    Args:
        ann_file (str): Annotation JSON.
        folders (Sequence[str]): Folders of features whose channels are joined, or HDF5 files.
        stride (float | str, optional): Frames between two steps, or ``'resampled'``. Defaults to
            None: as the manifest or each entry says.
        window (float, optional): Frames that a step sees. Defaults to None: likewise.
        fps (float, optional): Frame rate of videos whose entry has none. Defaults to None.
        **asked (str, optional): See :func:`.find_subsets`.

    Returns:
        CheckedData: With subsets, channels, names and features.

    Raises:
        TALDataError: With all that was found in all subsets.
    """
    content = read_annotation_file(ann_file)
    database = content['database']
    names = find_subsets(database, ann_file, **asked)
    classes, class_settings = find_classes(content, ann_file)
    wanted = set(names.named().values())
    videos = [name for name, entry in database.items() if isinstance(entry, Mapping)
              and (names.training is None or entry.get('subset') in wanted)]
    features: dict[str, Any] = dict(
        type='TALDataset', ann_file=ann_file, **class_settings,
        **find_features(folders, videos),
        **find_timing(folders, {name: database[name] for name in videos}, stride, window, fps))
    problems: list[Problem] = []
    subsets, manifest = {}, None
    for role, name in names.named().items():
        dataset = _build(dict(features, subset=name, test_mode=role != 'training'), problems)
        if dataset is not None:
            subsets[role] = _statistics(dataset)
            manifest = dataset.source.settings
    if problems:
        raise TALDataError(problems, _TITLE)
    return CheckedData(subsets, features['feature_dim'], names=names, features=features,
                       manifest=manifest)


def check_config(cfg: Config) -> CheckedData:
    """Check what a config trains and tests on, and whether its parts fit the data.

    Args:
        cfg (Config): A complete config.

    Returns:
        CheckedData: With subsets, channels and, of a model that has them, regression ranges.

    Raises:
        TALDataError: With all that was found in all data sets.
        ValueError: If the config has nothing to train with, or a part cannot be built.
    """
    init_default_scope('mmaction')
    if not all(isinstance(cfg.get(name), dict) for name in ('model', 'train_dataloader')):
        raise ValueError('the config has no model, or no train_dataloader: nothing can be trained')
    problems: list[Problem] = []
    built, subsets, seen = {}, {}, []
    for role, key in dict(training='train', validation='val', test='test').items():
        loader = cfg.get(f'{key}_dataloader')
        if not isinstance(loader, dict):
            continue
        settings = loader['dataset'].to_dict()
        if settings in seen:  # the test set is the validation set
            continue
        seen.append(settings)
        dataset = _build(settings, problems)
        if dataset is None:
            continue
        built[role] = dataset
        part = _tal_dataset(dataset)
        if part is not None:
            subsets[role] = _statistics(part)
    if problems:
        raise TALDataError(problems, _TITLE)
    if 'training' not in subsets:
        raise ValueError('train_dataloader.dataset is no TALDataset: its statistics are not known')
    model = MODELS.build(cfg.model)
    for role, dataset in built.items():
        judges = None
        if role != 'training':
            name = 'val_evaluator' if role == 'validation' else 'test_evaluator'
            evaluator = Evaluator(metrics_of(cfg, name))
            evaluator.dataset_meta = dataset.metainfo
            judges = evaluator.metrics
        check_parts(model, dataset, judges)
        if role == 'validation':
            hooks = (cfg.get('default_hooks') or {}).values()
            check_validation(built['training'], dataset, judges, [
                (hook or {}).get('save_best') for hook in hooks])
    _check_schedule(cfg, model, len(built['training']))
    info = _tal_dataset(built['training']).get_data_info(0)
    frames = 'video_path' in info
    if frames:
        channels = model.front.out_channels  # check_parts has refused a model without one
    else:
        channels = sum(feature_shape(path, key, info['layout'])[1] for path, key in zip(
            info['feature_paths'], info['feature_key']))
    return CheckedData(subsets, channels, ranges_of(model), frames=frames)


def suggestions_for(data: CheckedData, device: Optional[str] = None,
                    **asked: Optional[int]) -> Suggestions:
    """Settings for checked data on a device, by default the best there is; see :func:`.suggest`."""
    if device is None:
        device = 'cuda' if torch.cuda.is_available() else 'cpu'
    return suggest(data.training, data.channels, device, **asked)


def _build(settings: dict, problems: list[Problem]) -> Any:
    """A data set with all its checks; None if it has problems, which are added to the list."""
    kind = DATASETS.get(settings.get('type')) if isinstance(settings.get('type'), str) else None
    if isinstance(kind, type) and issubclass(kind, TALDataset):
        files = 'check_videos' if issubclass(kind, TALVideoDataset) else 'check_features'
        settings = dict(settings, **{files: 'full'})
    try:
        return DATASETS.build(settings)
    except TALDataError as error:
        problems += [problem for problem in error.problems if problem not in problems]
        if not error.problems:
            raise
        return None


def _check_schedule(cfg: Config, model: torch.nn.Module, samples: int) -> None:
    """Build optimizer and schedulers as the Runner will; raises what they raise."""
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    schedulers = cfg.get('param_scheduler') or []
    loop = cfg.get('train_cfg') or {}
    for scheduler in [schedulers] if isinstance(schedulers, dict) else schedulers:
        batches = -(-samples // cfg.train_dataloader.get('batch_size', 1))
        settings = {'end': loop.get('max_epochs') or loop.get('max_iters'), **scheduler}
        PARAM_SCHEDULERS.build(
            settings, default_args=dict(optimizer=wrapper, epoch_length=batches))


def _tal_dataset(dataset: Any) -> Optional[TALDataset]:
    """The data set itself, or the first one within repeated or joined ones."""
    while not isinstance(dataset, TALDataset):
        inner = getattr(dataset, 'datasets', None) or [getattr(dataset, 'dataset', None)]
        dataset = inner[0]
        if dataset is None:
            return None
    return dataset


def _statistics(dataset: TALDataset) -> SubsetStatistics:
    """Statistics of whole videos, resampled as the pipeline does it."""
    if dataset.window is None:
        infos = [dataset.get_data_info(i) for i in range(len(dataset))]
    else:
        whole = copy.copy(dataset)
        whole.window, whole.check_features = None, 'header'
        infos = whole.load_data_list()
    steps = getattr(dataset.pipeline, 'transforms', ())
    resized = next((step.length for step in steps if isinstance(step, ResizeFeature)), None)
    classes = ('any',) if dataset.class_agnostic else dataset.metainfo['classes']
    return SubsetStatistics.of(infos, classes, resized)


def ranges_of(model: torch.nn.Module) -> Optional[list[tuple[float, float]]]:
    """Regression ranges of a model's head, or of the head in it."""
    head = getattr(model, 'head', None)
    ranges = getattr(head, 'regression_ranges', None)
    return ranges or getattr(getattr(head, 'head', None), 'regression_ranges', None)
