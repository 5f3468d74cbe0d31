"""Folds: a training judged on a part of the training videos, so that no choice sees a test video.

A fold N is one annotation file, ``annotations_foldN.json`` beside ``annotations.json``, as
``tools/dataset_converters/hapt.py --folds`` writes them.
"""
import copy
import re
from pathlib import Path

from mmengine.config import Config

from ..utils import fold_file
from .runtime import test_metrics


def set_fold(cfg: Config, fold: int) -> None:
    """Train and judge within a fold, whose annotation file has no test video.

    Training, validation and test read ``annotations_fold<N>.json`` in place of the config's
    ``annotations.json``; validation and test are both of its subset ``validation``.

    Args:
        cfg (Config): The config; its validation, if it has one, is replaced.
        fold (int): Number of the fold.

    Raises:
        ValueError: If a data set or a metric of the config has no annotation file, the config is of
            another fold, or the number is negative.
    """
    if fold < 0:
        raise ValueError(f'--fold {fold}: folds are numbered from 0')
    loaders = [cfg[name] for name in ('train_dataloader', 'test_dataloader') if cfg.get(name)]
    parts = [loader.dataset for loader in loaders] + test_metrics(cfg)
    for part in parts:
        if not isinstance(part.get('ann_file'), str):
            raise ValueError(f'--fold {fold}: {part.get("type")} has no ann_file, beside which '
                             'those of the folds could lie')
        there = re.search(r'_fold(\d+)$', Path(part.ann_file).stem)
        if there and int(there[1]) != fold:
            raise ValueError(f'--fold {fold}: the config is of fold {there[1]} already')
        if not there:  # the config that a training on the fold left behind has it already
            part.ann_file = fold_file(part.ann_file, fold)
    for part in (cfg.test_dataloader.dataset, *cfg.test_evaluator):
        part.subset = 'validation'
    cfg.val_cfg = dict(type='ValLoop')
    cfg.val_dataloader = copy.deepcopy(cfg.test_dataloader)
    cfg.val_evaluator = copy.deepcopy(cfg.test_evaluator)
