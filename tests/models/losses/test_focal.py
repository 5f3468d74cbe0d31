"""Focal loss against its formula, in float64 and number by number."""
import math

import pytest
import torch

from cltdr_mm.models.losses import TALFocalLoss


def focal_term(logit: float, target: float, gamma: float, alpha: float) -> float:
    """Lin et al., eq. 5; targets between 0 and 1 mix both sides."""
    prob = 1 / (1 + math.exp(-logit))
    entropy = -(target * math.log(prob) + (1 - target) * math.log(1 - prob))
    hit = prob * target + (1 - prob) * (1 - target)
    weight = 1. if alpha < 0 else alpha * target + (1 - alpha) * (1 - target)
    return weight * (1 - hit)**gamma * entropy


@pytest.mark.parametrize('gamma, alpha', [(2., 0.25), (0., 0.25), (1.5, 0.7), (2., -1.)])
@pytest.mark.parametrize('targets', [(0., 1.), (0.025, 0.925), (0.3, 0.6)])
def test_formula(gamma, alpha, targets):
    logits = torch.randn(7, 5, generator=torch.Generator().manual_seed(0)) * 4
    targets = torch.tensor(targets)[torch.randint(2, (7, 5),
                                                  generator=torch.Generator().manual_seed(1))]
    got = TALFocalLoss(gamma, alpha)(logits, targets)
    for value, logit, target in zip(got.flatten().tolist(), logits.flatten().tolist(),
                                    targets.flatten().tolist()):
        assert value == pytest.approx(focal_term(logit, target, gamma, alpha), rel=1e-4, abs=1e-9)


def test_formula_by_hand():
    """A logit of 0 is a probability of a half."""
    loss = TALFocalLoss()(torch.zeros(2), torch.tensor([1., 0.]))
    assert loss.tolist() == pytest.approx([0.25 * 0.25 * math.log(2), 0.75 * 0.25 * math.log(2)])


@pytest.mark.parametrize('logit', [-200., -88., 0., 88., 200.])
def test_extremes(logit):
    """Far out the loss grows linearly on the wrong side and vanishes on the right one."""
    logits = torch.tensor([logit, logit], requires_grad=True)
    loss = TALFocalLoss()(logits, torch.tensor([1., 0.]))
    expected = [0.25 * max(-logit, 0), 0.75 * max(logit, 0)]
    if logit:
        assert loss.tolist() == pytest.approx(expected, abs=1e-6)
    loss.sum().backward()
    assert torch.isfinite(logits.grad).all()


def test_half_precision_is_computed_in_float32():
    logits = torch.randn(20).bfloat16()
    targets = torch.ones(20)
    loss = TALFocalLoss()(logits, targets)
    assert loss.dtype == torch.float32
    assert torch.equal(loss, TALFocalLoss()(logits.float(), targets))
    with torch.autocast('cpu', dtype=torch.bfloat16):
        assert torch.equal(TALFocalLoss()(logits, targets), loss)
