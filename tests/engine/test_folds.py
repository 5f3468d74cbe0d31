"""A run on a fold of the training videos, and a checkpoint of another one."""
import copy

import pytest
from mmengine.config import Config

from cltdr_mm.engine import folds


def test_a_fold_is_trained_and_judged_within_its_file():
    def loader(subset):
        return dict(num_workers=3, dataset=dict(
            type='HAPTDataset', ann_file='annotations.json', subset=subset))

    cfg = Config(dict(
        train_dataloader=loader('train'), test_dataloader=loader('test'), val_dataloader=None,
        val_cfg=None, val_evaluator=None, test_evaluator=dict(
            type='TALMetric', protocol='hapt', ann_file='d/annotations.json', subset='test')))
    folds.set_fold(cfg, 4)
    assert cfg.train_dataloader.dataset.subset == 'train'
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        assert loader.dataset.ann_file == 'annotations_fold4.json'
    for name in ('val', 'test'):
        assert cfg[f'{name}_dataloader'].dataset.subset == 'validation'
        metric, = cfg[f'{name}_evaluator']
        assert metric == dict(type='TALMetric', protocol='hapt', subset='validation',
                              ann_file='d/annotations_fold4.json')
    assert cfg.val_cfg == dict(type='ValLoop')
    cfg.val_dataloader.num_workers = 0
    assert cfg.test_dataloader.num_workers == 3
    again = copy.deepcopy(cfg)  # the config that the training left
    folds.set_fold(again, 4)
    assert again.test_dataloader.dataset.ann_file == 'annotations_fold4.json'
    with pytest.raises(ValueError, match='--fold 3: the config is of fold 4 already'):
        folds.set_fold(again, 3)
    with pytest.raises(ValueError, match='--fold -1: folds are numbered from 0'):
        folds.set_fold(again, -1)
    del cfg.test_evaluator[0]['ann_file']
    with pytest.raises(ValueError, match='--fold 4: TALMetric has no ann_file'):
        folds.set_fold(cfg, 4)
