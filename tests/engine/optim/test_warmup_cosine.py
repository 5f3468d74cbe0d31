"""The learning rate, against its formula and MMEngine's two chained schedulers."""
import math

import pytest
import torch
from mmaction.registry import PARAM_SCHEDULERS
from mmengine.optim import CosineAnnealingLR, LinearLR, OptimWrapper

from cltdr_mm.engine import WarmupCosineLR


def optimizer():
    a, b = (torch.nn.Parameter(torch.zeros(1)) for _ in range(2))
    return torch.optim.SGD([dict(params=[a], lr=1.), dict(params=[b], lr=.1)], lr=1.)


def trace(opt, schedulers, steps):
    rates = []
    for _ in range(steps):
        rates.append([g['lr'] for g in opt.param_groups])
        opt.step()
        for scheduler in schedulers:
            scheduler.step()
    return rates


def test_follows_the_formula():
    opt = optimizer()
    rates = trace(opt, [WarmupCosineLR(opt, warmup=4, end=10, start_factor=.1, end_factor=.01,
                                       by_epoch=False)], 12)
    for t, (a, b) in enumerate(rates):
        if t < 4:
            expected = .1 + .9 * t / 4
        else:  # the rate of the last step stays
            expected = .01 + .99 * (1 + math.cos(math.pi * (min(t, 9) - 4) / 6)) / 2
        assert a == pytest.approx(expected, abs=1e-12)
        assert b == pytest.approx(.1 * expected, abs=1e-12)


def test_equals_two_schedulers_of_mmengine():
    one, two = optimizer(), optimizer()
    ours = WarmupCosineLR(one, warmup=6, end=20, by_epoch=False)
    # LinearLR reaches 1 at end - 1, so it ends one step later than our warm-up
    theirs = [LinearLR(two, start_factor=1e-3, begin=0, end=7, by_epoch=False),
              CosineAnnealingLR(two, begin=6, end=20, T_max=14, eta_min_ratio=1e-3,
                                by_epoch=False)]
    for got, expected in zip(trace(one, [ours], 20), trace(two, theirs, 20)):
        assert got == pytest.approx(expected, rel=1e-9)


def test_epochs_become_iterations():
    scheduler = PARAM_SCHEDULERS.build(dict(
        type='WarmupCosineLR', warmup=1.5, end=4, convert_to_iter_based=True,
        optimizer=OptimWrapper(optimizer()), epoch_length=7))
    assert (scheduler.warmup, scheduler.end, scheduler.by_epoch) == (10, 28, False)


def test_runner_ends_it_with_the_training(toy_runner):
    runner = toy_runner(epochs=3)
    runner.train()
    scheduler, = runner.param_schedulers
    assert scheduler.end == 3 * 5 and scheduler.warmup == 2  # 10 samples in batches of 2
    # decayed to the rate of the last but one step of the cosine; both groups alike
    last = 0.01 * scheduler.factor(14)
    assert runner.optim_wrapper.get_lr()['lr'] == pytest.approx([last, last])


@pytest.mark.parametrize('by_epoch', [True, False])
def test_warmup_must_fit(by_epoch):
    with pytest.raises(ValueError, match='warm-up of 10 .* does not fit into 10'):
        WarmupCosineLR(optimizer(), warmup=10, end=10, by_epoch=by_epoch)
    with pytest.raises(ValueError, match='warm-up of 10 epochs does not fit into 10'):
        WarmupCosineLR.build_iter_from_epoch(optimizer(), warmup=10, end=10, epoch_length=3)


def test_an_empty_train_set_is_named():
    with pytest.raises(ValueError, match='train set that is not empty'):
        WarmupCosineLR.build_iter_from_epoch(optimizer(), warmup=1, end=10, epoch_length=0)
