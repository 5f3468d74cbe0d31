"""Folds: a training judged on a part of the training videos, so that no choice sees a test video.

A fold N is one annotation file, ``annotations_foldN.json`` beside ``annotations.json``, as
``tools/dataset_converters/hapt.py --folds`` writes them.
"""
import copy
import os.path as osp
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Optional

from mmengine.config import Config

from ..utils import TALDataError, fold_file
from .checkpoint_config import checkpoint_config
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
        there = fold_of(part.ann_file)
        if there not in (None, fold):
            raise ValueError(f'--fold {fold}: the config is of fold {there} already')
        if there is None:  # the config that a training on the fold left behind has it already
            part.ann_file = fold_file(part.ann_file, fold)
    for part in (cfg.test_dataloader.dataset, *cfg.test_evaluator):
        part.subset = 'validation'
    cfg.val_cfg = dict(type='ValLoop')
    cfg.val_dataloader = copy.deepcopy(cfg.test_dataloader)
    cfg.val_evaluator = copy.deepcopy(cfg.test_evaluator)


def fold_of(ann_file: str) -> Optional[int]:
    """Number of the fold that an annotation file is of; None of a whole data set."""
    found = re.search(r'_fold(\d+)$', Path(ann_file).stem)
    return found and int(found[1])


def check_fold_files(cfg: Config, fold: int) -> None:
    """Refuse a fold whose annotation file is not there.

    Args:
        cfg (Config): As :func:`set_fold` changed it.
        fold (int): Number of the fold.

    Raises:
        ValueError: Naming the file, the folds that there are, and what writes them.
    """
    dataset = cfg.test_dataloader.dataset
    path = osp.join(dataset.get('data_root') or '', dataset.ann_file)
    if '://' in path or osp.isfile(path):
        return
    pattern = fold_file(re.sub(r'_fold\d+(?=\.\w+$)', '', osp.basename(path)), '*')
    there = sorted(number for file in Path(path).parent.glob(pattern)
                   if (number := fold_of(file)) is not None)
    have = f'only those of --fold {", ".join(map(str, there))}' if there else 'nor one of another'
    raise ValueError(f'--fold {fold}: there is no {path}, {have}; `cltdr convert hapt ARCHIVE '
                     '--folds 5` writes annotations_fold0.json to annotations_fold4.json, and for '
                     'other data such a file has subsets train and validation')


def check_fold(checkpoint: Any, ann_file: Any, name: str) -> None:
    """Refuse a checkpoint that does not belong to the fold, or to the data set, that it is used on.

    One of another fold, or of a training on all training videos, knows the videos that a fold is
    judged by. One of a fold is for choices, which must not see a test video: the data set that its
    fold was made of is refused too.

    Args:
        checkpoint: What was loaded, of any type; one without a config says nothing.
        ann_file: Of the data set that it is used on.
        name (str): File of the checkpoint.

    Raises:
        TALDataError: If so; names what to say instead.
    """
    if not isinstance(ann_file, str) or not isinstance(checkpoint, Mapping):
        return
    try:
        cfg = checkpoint_config(checkpoint)
    except ValueError:  # weights alone
        return
    trained = {fold_of(path): path for path in _ann_files(cfg.get('train_dataloader'))}
    fold, message = fold_of(ann_file), None
    if fold is None:
        used = next((number for number, path in trained.items() if number is not None
                     and osp.normpath(fold_file(ann_file, number)) == osp.normpath(path)), None)
        if used is not None:
            message = (f'was trained on fold {used}, and this is the whole data set, test videos '
                       f'included: use it with --fold {used}, and train without --fold for the '
                       'test videos')
    elif trained and fold not in trained:
        other = min(-1 if number is None else number for number in trained)
        where, instead = ('all training videos', 'without --fold') if other < 0 else (
            f'fold {other}', f'with --fold {other}')
        message = (f'was trained on {where}, and with that on videos that fold {fold} is judged '
                   f'by: test it {instead}, or train with --fold {fold}')
    if message:
        raise TALDataError.of('checkpoint', name, 'fold', message)


def _ann_files(value: Any) -> Iterator[str]:
    """Annotation files of a data loader, also of data sets in one that repeats or joins them."""
    if isinstance(value, Mapping):
        if isinstance(value.get('ann_file'), str):
            yield osp.join(str(value.get('data_root') or ''), value['ann_file'])
        value = value.values()
    elif not isinstance(value, (list, tuple)):
        return
    for item in value:
        yield from _ann_files(item)
