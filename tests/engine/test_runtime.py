"""Changes that the command line makes to a config."""
import pytest
import torch
from mmengine.config import Config

from cltdr_mm.engine import runtime


@pytest.fixture
def cfg():
    return Config(dict(optim_wrapper=dict(type='OptimWrapper', optimizer=dict(type='AdamW'))))


def test_work_dir_order(cfg):
    runtime.set_work_dir(cfg, 'configs/a/cltdr_thumos.py', None)
    assert cfg.work_dir == 'work_dirs/cltdr_thumos'
    cfg.work_dir = 'mine'
    runtime.set_work_dir(cfg, 'configs/x.py', None)
    assert cfg.work_dir == 'mine'
    runtime.set_work_dir(cfg, 'configs/x.py', 'given')
    assert cfg.work_dir == 'given'


def test_resume(cfg, tmp_path, mm_log):
    cfg.work_dir = str(tmp_path)
    runtime.set_resume(cfg, None)
    assert (cfg.get('resume'), cfg.get('load_from')) == (None, None) and not mm_log.text
    runtime.set_resume(cfg, 'auto')
    assert (cfg.resume, cfg.load_from) == (False, None), 'nothing to resume yet'
    assert 'holds no checkpoint yet: the training starts anew' in mm_log.text
    with pytest.raises(FileNotFoundError, match='there is no checkpoint a.pth'):
        runtime.set_resume(cfg, 'a.pth')
    path = str(tmp_path / 'epoch_3.pth')
    torch.save({}, path)
    for resume in (path, 'auto', str(tmp_path)):
        cfg.resume = cfg.load_from = None
        runtime.set_resume(cfg, resume)
        assert (cfg.resume, cfg.load_from) == (True, path)
    cfg.load_from = None
    runtime.set_resume(cfg, None)  # as the config says
    assert (cfg.resume, cfg.load_from) == (True, path)
    cfg.resume = False
    runtime.set_resume(cfg, None)
    assert 'write over' not in mm_log.text  # it may be refused yet
    runtime.warn_of_checkpoints(cfg)
    assert 'checkpoints of an earlier training, which this one will write over' in mm_log.text


def test_loaders_without_workers(cfg):
    cfg.val_dataloader = dict(num_workers=0, persistent_workers=True, prefetch_factor=2)
    cfg.train_dataloader = dict(num_workers=2, persistent_workers=True)
    runtime.settle_loaders(cfg)
    assert cfg.val_dataloader == dict(num_workers=0)
    assert cfg.train_dataloader == dict(num_workers=2, persistent_workers=True)


def test_hooks_that_are_none(cfg):
    cfg.default_hooks = dict(ema=None, timer=None, logger=dict(type='LoggerHook'))
    runtime.settle_hooks(cfg)
    # MMEngine removes its own timer where it is told None
    assert cfg.default_hooks == dict(timer=None, logger=dict(type='LoggerHook'))


@pytest.mark.parametrize('kind', ['TALMetric', 'ProposalMetric'])
@pytest.mark.parametrize('several', [False, True])
def test_result_dir_is_set_for_the_test_only(cfg, several, kind):
    metric = dict(type=kind, ann_file='a.json')
    cfg.val_evaluator = cfg.test_evaluator = [dict(type='Other'), metric] if several else metric
    runtime.set_result_dir(cfg, 'out')
    assert [m.get('out_dir') for m in cfg.test_evaluator][-1] == 'out'
    assert 'out_dir' not in str(cfg.val_evaluator)
    cfg.test_evaluator = dict(type='Other')
    with pytest.raises(ValueError, match='TALMetric'):
        runtime.set_result_dir(cfg, 'out')


@pytest.mark.parametrize('workers', [-1, 1.5, '2'])
def test_numbers_of_workers(cfg, workers):
    cfg.val_dataloader = dict(num_workers=workers)
    with pytest.raises(ValueError, match='val_dataloader.num_workers must be a whole number'):
        runtime.settle_loaders(cfg)


@pytest.mark.parametrize('evaluator', [None, 'TALMetric', ['TALMetric'], [dict(type='A'), 3]])
def test_evaluators_that_are_none(cfg, evaluator):
    cfg.test_evaluator = evaluator
    for judge in (runtime.test_metrics, lambda cfg: runtime.set_result_dir(cfg, 'out')):
        with pytest.raises(ValueError, match='test_evaluator must be the config of a metric'):
            judge(cfg)


def test_tensorboard_is_added_once(cfg, monkeypatch):
    cfg.visualizer = dict(type='TALVisualizer', vis_backends=[dict(type='LocalVisBackend')])
    for _ in range(2):
        runtime.set_watching(cfg, True, False)
        assert [backend['type'] for backend in cfg.visualizer.vis_backends] == [
            'LocalVisBackend', 'TALTensorboardVisBackend']
    monkeypatch.setattr('importlib.util.find_spec', lambda name: None)
    with pytest.raises(ValueError, match=r'pip install "cltdr-mm\[tensorboard\]"'):
        runtime.set_watching(cfg, True, False)


def test_timelines_of_a_validation(cfg):
    cfg.update(default_hooks=dict(logger=dict(type='LoggerHook')), val_dataloader=dict())
    runtime.set_watching(cfg, False, True)
    assert set(cfg.default_hooks) == {'logger', 'visualization'} and 'visualizer' not in cfg
    assert cfg.default_hooks.visualization.type == 'TALVisualizationHook'
    runtime.drop_validation(cfg)
    with pytest.raises(ValueError, match='--timelines draws what is validated, and nothing is'):
        runtime.set_watching(cfg, False, True)


def test_what_a_test_leaves_out(cfg):
    cfg.update(train_cfg=dict(max_epochs=1), train_dataloader=dict(), test_cfg=dict())
    runtime.drop_training(cfg)
    assert [cfg[name] for name in ('train_cfg', 'train_dataloader', 'optim_wrapper',
                                   'param_scheduler')] == [None] * 4 and cfg.test_cfg == {}
