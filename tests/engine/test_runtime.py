"""Changes that the command line makes to a config."""
import copy
import inspect

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
    assert 'checkpoints of an earlier training, which this one will write over' in mm_log.text


def test_a_fold_is_trained_and_judged_within_its_file():
    def loader(subset):
        return dict(num_workers=3, dataset=dict(
            type='HAPTDataset', ann_file='annotations.json', subset=subset))

    cfg = Config(dict(
        train_dataloader=loader('train'), test_dataloader=loader('test'), val_dataloader=None,
        val_cfg=None, val_evaluator=None, test_evaluator=dict(
            type='TALMetric', protocol='hapt', ann_file='d/annotations.json', subset='test')))
    runtime.set_fold(cfg, 4)
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
    runtime.set_fold(again, 4)
    assert again.test_dataloader.dataset.ann_file == 'annotations_fold4.json'
    with pytest.raises(ValueError, match='--fold 3: the config is of fold 4 already'):
        runtime.set_fold(again, 3)
    with pytest.raises(ValueError, match='--fold -1: folds are numbered from 0'):
        runtime.set_fold(again, -1)
    del cfg.test_evaluator[0]['ann_file']
    with pytest.raises(ValueError, match='--fold 4: TALMetric has no ann_file'):
        runtime.set_fold(cfg, 4)


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


@pytest.mark.parametrize('cuda, bf16, expected', [
    (False, False, dict(type='CPUAmpOptimWrapper')),
    (True, True, dict(type='AmpOptimWrapper', dtype='bfloat16', loss_scale=1.)),
    (True, False, dict(type='AmpOptimWrapper', dtype='float16', loss_scale='dynamic'))])
def test_amp_fits_the_machine(cfg, monkeypatch, cuda, bf16, expected):
    monkeypatch.setattr(torch.cuda, 'get_device_capability', lambda: (8, 0) if bf16 else (7, 5))
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: cuda)
    # as torch says of cards that can only emulate it
    monkeypatch.setattr(torch.cuda, 'is_bf16_supported', lambda: True)
    runtime.set_amp(cfg)
    assert cfg.optim_wrapper.to_dict() == dict(optimizer=dict(type='AdamW'), **expected)


def test_amp_does_not_replace_what_it_does_not_know(cfg):
    cfg.optim_wrapper.type = 'ApexOptimWrapper'
    with pytest.raises(ValueError, match='ApexOptimWrapper'):
        runtime.set_amp(cfg)


def test_randomness_keeps_what_is_not_said(cfg):
    cfg.randomness = dict(seed=5, deterministic=True)
    runtime.set_randomness(cfg, None)
    assert cfg.randomness == dict(seed=5, deterministic=True)
    runtime.set_randomness(cfg, 0, diff_rank_seed=True)
    assert cfg.randomness == dict(seed=0, deterministic=True, diff_rank_seed=True)


def test_launcher_none_leaves_the_rest_alone(cfg):
    before = cfg.to_dict()
    runtime.set_launcher(cfg, 'none')
    assert cfg.to_dict() == dict(before, launcher='none')


def test_gloo_on_cpu(cfg, monkeypatch):
    started = []
    monkeypatch.setenv('RANK', '0')
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    monkeypatch.setattr(torch.distributed, 'is_initialized', lambda: False)
    monkeypatch.setattr(torch.distributed, 'init_process_group',
                        lambda *args, **kwargs: started.append((args, kwargs)))
    cfg.find_unused_parameters = True
    runtime.set_launcher(cfg, 'pytorch')
    assert started == [(('gloo',), {})]
    wrapper = dict(cfg.model_wrapper_cfg)
    # the name that torch does not warn of
    known = inspect.signature(torch.nn.parallel.DistributedDataParallel).parameters
    assert wrapper.pop('forward_sync_buffers' if 'forward_sync_buffers' in known
                       else 'broadcast_buffers') is False
    assert wrapper == dict(type='MMDistributedDataParallel', find_unused_parameters=True,
                           device_ids=None)


def test_nccl_on_gpu_is_left_to_mmengine(cfg, monkeypatch):
    monkeypatch.setenv('RANK', '0')
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    runtime.set_launcher(cfg, 'pytorch')
    assert 'model_wrapper_cfg' not in cfg


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


def test_learning_rate_by_batch(cfg):
    for options in (None, dict(enable=False), dict(enable=False, base_batch_size=0)):
        cfg.auto_scale_lr = options
        with pytest.raises(ValueError, match='--auto-scale-lr needs auto_scale_lr.base_batch_size'):
            runtime.set_auto_scale_lr(cfg)
    cfg.auto_scale_lr = dict(enable=False, base_batch_size=2)
    runtime.set_auto_scale_lr(cfg)
    assert cfg.auto_scale_lr == dict(enable=True, base_batch_size=2)


def test_amp_needs_a_wrapper(cfg):
    cfg.optim_wrapper = None
    with pytest.raises(ValueError, match='--amp changes optim_wrapper'):
        runtime.set_amp(cfg)


@pytest.mark.parametrize('launcher, words', [
    ('pytorch', 'no RANK.* tools/dist_train.sh'),
    ('slurm', 'no SLURM_PROCID.*tools/slurm_train.sh'),
    ('mpi', 'no OMPI_COMM_WORLD_LOCAL_RANK.*mpirun')])
def test_a_launcher_that_did_not_launch(cfg, monkeypatch, launcher, words):
    for name in ('RANK', 'SLURM_PROCID', 'OMPI_COMM_WORLD_LOCAL_RANK'):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ValueError, match=words):
        runtime.set_launcher(cfg, launcher)


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
