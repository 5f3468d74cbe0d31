"""A run on a fold of the training videos, and a checkpoint of another one."""
import copy

import pytest
from mmengine.config import Config

from cltdr_mm.engine import folds
from cltdr_mm.utils import TALDataError


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


def trained_on(ann_file, **dataset):
    """A checkpoint as MMEngine writes it."""
    cfg = Config(dict(train_dataloader=dict(dataset=dict(dataset, ann_file=ann_file))))
    return dict(meta=dict(cfg=cfg.pretty_text))


@pytest.mark.parametrize('ann_file, message', [
    ('annotations_fold0.json', 'fold: was trained on fold 0, .* that fold 1 is judged by: test it '
                               'with --fold 0, or train with --fold 1'),
    ('annotations.json', 'fold: was trained on all training videos, .*: test it without --fold')])
def test_a_checkpoint_that_knows_the_videos_of_a_fold(ann_file, message):
    with pytest.raises(TALDataError, match=f'a.pth: {message}'):
        folds.check_fold(trained_on(ann_file), 'data/annotations_fold1.json', 'a.pth')


@pytest.mark.parametrize('checkpoint', [
    trained_on('annotations_fold1.json'), trained_on('annotations_fold1.json', data_root='d'),
    dict(meta={}), dict(meta=dict(cfg="model = dict(type='A')")), 3])
def test_a_checkpoint_that_does_not(checkpoint):
    folds.check_fold(checkpoint, 'data/annotations_fold1.json', 'a.pth')


def test_the_whole_data_set_is_not_for_a_checkpoint_of_a_fold():
    """A forgotten --fold would show the test videos to whoever is choosing."""
    checkpoint = trained_on('annotations_fold0.json', data_root='data/hapt/')
    with pytest.raises(TALDataError, match='a.pth: fold: was trained on fold 0, .*: use it with '
                                           '--fold 0, and train without --fold'):
        folds.check_fold(checkpoint, 'data/hapt/annotations.json', 'a.pth')
    for other in ('data/theirs/annotations.json', 'data/hapt/others.json', None):
        folds.check_fold(checkpoint, other, 'a.pth')
    whole = trained_on('annotations.json', data_root='data/hapt/')
    folds.check_fold(whole, 'data/hapt/annotations.json', 'a.pth')


def test_joined_data_sets_are_looked_into():
    joined = dict(type='ConcatDataset', datasets=[dict(ann_file='a_fold2.json')])
    cfg = Config(dict(train_dataloader=dict(dataset=joined)))
    with pytest.raises(TALDataError, match='was trained on fold 2'):
        folds.check_fold(dict(meta=dict(cfg=cfg.pretty_text)), 'a_fold0.json', 'a.pth')


def test_a_fold_that_is_not_there(tmp_path):
    cfg = Config(dict(test_dataloader=dict(dataset=dict(
        data_root=str(tmp_path), ann_file='annotations_fold7.json'))))
    with pytest.raises(ValueError, match=r'--fold 7: there is no .*annotations_fold7\.json, nor '
                                         'one of another; `cltdr convert hapt .* --folds'):
        folds.check_fold_files(cfg, 7)
    for number in (10, 2):
        (tmp_path / f'annotations_fold{number}.json').touch()
    with pytest.raises(ValueError, match='only those of --fold 2, 10; '):
        folds.check_fold_files(cfg, 7)
    cfg.test_dataloader.dataset.ann_file = 'annotations_fold2.json'
    folds.check_fold_files(cfg, 2)
