"""Precision, seeds, learning rate and ranks, as the command line asks for them."""
import inspect

import pytest
import torch
from mmengine.config import Config

from cltdr_mm.engine import machine


@pytest.fixture
def cfg():
    return Config(dict(optim_wrapper=dict(type='OptimWrapper', optimizer=dict(type='AdamW'))))


@pytest.mark.parametrize('cuda, bf16, expected', [
    (False, False, dict(type='CPUAmpOptimWrapper')),
    (True, True, dict(type='AmpOptimWrapper', dtype='bfloat16', loss_scale=1.)),
    (True, False, dict(type='AmpOptimWrapper', dtype='float16', loss_scale='dynamic'))])
def test_amp_fits_the_machine(cfg, monkeypatch, cuda, bf16, expected):
    monkeypatch.setattr(torch.cuda, 'get_device_capability', lambda: (8, 0) if bf16 else (7, 5))
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: cuda)
    # as torch says of cards that can only emulate it
    monkeypatch.setattr(torch.cuda, 'is_bf16_supported', lambda: True)
    machine.set_amp(cfg)
    assert cfg.optim_wrapper.to_dict() == dict(optimizer=dict(type='AdamW'), **expected)


def test_amp_does_not_replace_what_it_does_not_know(cfg):
    cfg.optim_wrapper.type = 'ApexOptimWrapper'
    with pytest.raises(ValueError, match='ApexOptimWrapper'):
        machine.set_amp(cfg)


def test_randomness_keeps_what_is_not_said(cfg):
    cfg.randomness = dict(seed=5, deterministic=True)
    machine.set_randomness(cfg, None)
    assert cfg.randomness == dict(seed=5, deterministic=True)
    machine.set_randomness(cfg, 0, diff_rank_seed=True)
    assert cfg.randomness == dict(seed=0, deterministic=True, diff_rank_seed=True)


def test_launcher_none_leaves_the_rest_alone(cfg):
    before = cfg.to_dict()
    machine.set_launcher(cfg, 'none')
    assert cfg.to_dict() == dict(before, launcher='none')


def test_gloo_on_cpu(cfg, monkeypatch):
    started = []
    monkeypatch.setenv('RANK', '0')
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    monkeypatch.setattr(torch.distributed, 'is_initialized', lambda: False)
    monkeypatch.setattr(torch.distributed, 'init_process_group',
                        lambda *args, **kwargs: started.append((args, kwargs)))
    cfg.find_unused_parameters = True
    machine.set_launcher(cfg, 'pytorch')
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
    machine.set_launcher(cfg, 'pytorch')
    assert 'model_wrapper_cfg' not in cfg


def test_learning_rate_by_batch(cfg):
    for options in (None, dict(enable=False), dict(enable=False, base_batch_size=0)):
        cfg.auto_scale_lr = options
        with pytest.raises(ValueError, match='--auto-scale-lr needs auto_scale_lr.base_batch_size'):
            machine.set_auto_scale_lr(cfg)
    cfg.auto_scale_lr = dict(enable=False, base_batch_size=2)
    machine.set_auto_scale_lr(cfg)
    assert cfg.auto_scale_lr == dict(enable=True, base_batch_size=2)


def test_amp_needs_a_wrapper(cfg):
    cfg.optim_wrapper = None
    with pytest.raises(ValueError, match='--amp changes optim_wrapper'):
        machine.set_amp(cfg)


@pytest.mark.parametrize('launcher, words', [
    ('pytorch', 'no RANK.* tools/dist_train.sh'),
    ('slurm', 'no SLURM_PROCID.*tools/slurm_train.sh'),
    ('mpi', 'no OMPI_COMM_WORLD_LOCAL_RANK.*mpirun')])
def test_a_launcher_that_did_not_launch(cfg, monkeypatch, launcher, words):
    for name in ('RANK', 'SLURM_PROCID', 'OMPI_COMM_WORLD_LOCAL_RANK'):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ValueError, match=words):
        machine.set_launcher(cfg, launcher)
