"""The moving average, against a loop in plain numbers."""
import pytest
import torch
import torch.nn as nn
from mmaction.registry import MODELS
from mmengine.model import MomentumAnnealingEMA

from cltdr_mm.engine import WarmupEMA


@pytest.mark.parametrize('momentum', [0.001, 0.2])
def test_follows_the_formula(momentum):
    model = nn.Linear(1, 1, bias=False)
    ema = WarmupEMA(model, momentum=momentum)
    expected = None
    for t in range(60):
        value = float(t)**1.5
        nn.init.constant_(model.weight, value)
        ema.update_parameters(model)
        keep = min(1 - momentum, (1 + t) / (10 + t))
        expected = value if t == 0 else keep * expected + (1 - keep) * value
    assert float(ema.module.weight) == pytest.approx(expected, rel=1e-5)


def test_is_mmengines_annealing_a_step_ahead():
    torch.manual_seed(0)
    model = nn.Linear(3, 3)
    ours, theirs = WarmupEMA(model, gamma=4), MomentumAnnealingEMA(model, 0.001, gamma=4)
    theirs.steps += 1
    for _ in range(20):
        nn.init.normal_(model.weight)
        if int(ours.steps) == 0:  # both begin with the weights as they are
            theirs.module.load_state_dict(model.state_dict())
            ours.update_parameters(model)
            continue
        theirs.steps.copy_(ours.steps + 1)
        ours.update_parameters(model)
        theirs.update_parameters(model)
        torch.testing.assert_close(ours.module.weight, theirs.module.weight, atol=0, rtol=0)


def test_a_constant_is_reached_from_any_start():
    # 0.999 alone would still hold 74 % of the start after 300 steps
    model = nn.Linear(2, 2)
    ema = WarmupEMA(model)
    nn.init.constant_(model.weight, 5.)
    ema.steps += 1  # as if the start had been averaged already
    for _ in range(300):
        ema.update_parameters(model)
    torch.testing.assert_close(ema.module.weight, model.weight, atol=1e-4, rtol=0)


def test_is_what_the_hook_builds(toy_runner):
    runner = toy_runner(default_hooks=dict(ema=dict(ema_type='WarmupEMA')))
    runner.train()
    hook, = [h for h in runner.hooks if type(h).__name__ == 'EMAHook']
    assert type(hook.ema_model) is WarmupEMA and 'WarmupEMA' in MODELS
    assert int(hook.ema_model.steps) == 10 and hook.ema_model.momentum == 0.001
