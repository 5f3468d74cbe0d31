"""Varifocal loss against its formula, in float64 and number by number."""
import math

import pytest
import torch

from cltdr_mm.models.losses import TALVarifocalLoss


def varifocal_term(logit: float, target: float, positive: bool, alpha: float,
                   gamma: float) -> float:
    """Zhang et al., eq. 2."""
    prob = 1 / (1 + math.exp(-logit))
    entropy = -(target * math.log(prob) + (1 - target) * math.log(1 - prob))
    return target * entropy if positive else alpha * abs(prob - target)**gamma * entropy


@pytest.mark.parametrize('alpha, gamma', [(0.75, 2.), (0.25, 2.), (1., 1.)])
@pytest.mark.parametrize('told', [True, False])
def test_formula(alpha, gamma, told):
    """Positives are those told, or those with a target."""
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(6, 4, generator=generator) * 4
    targets = torch.rand(6, 4, generator=generator) * (torch.rand(6, 4, generator=generator) > 0.5)
    positives = (torch.rand(6, 4, generator=generator) > 0.5) if told else None
    got = TALVarifocalLoss(alpha, gamma)(logits, targets, positives)
    chosen = targets > 0 if positives is None else positives
    for value, *args in zip(got.flatten().tolist(), logits.flatten().tolist(),
                            targets.flatten().tolist(), chosen.flatten().tolist()):
        assert value == pytest.approx(varifocal_term(*args, alpha, gamma), rel=1e-4, abs=1e-9)


def test_positive_at_its_target_has_no_gradient():
    """A positive is drawn to its IoU, not to 1."""
    logits = torch.tensor([0.], requires_grad=True)
    TALVarifocalLoss()(logits, torch.tensor([0.5])).sum().backward()
    assert float(logits.grad) == pytest.approx(0., abs=1e-7)


def test_smoothing_does_not_make_a_negative_positive():
    """As the published loss would have it, weighing it by its target."""
    logit, targets = torch.tensor([2.]), torch.tensor([0.025])
    told = TALVarifocalLoss()(logit, targets, torch.tensor([False]))
    assumed = TALVarifocalLoss()(logit, targets)
    assert float(told) > 10 * float(assumed)


@pytest.mark.parametrize('logit', [-200., 200.])
def test_extremes(logit):
    logits = torch.full((2, ), logit, requires_grad=True)
    loss = TALVarifocalLoss(alpha=0.75)(logits, torch.tensor([1., 0.]))
    assert loss.tolist() == pytest.approx([max(-logit, 0), 0.75 * max(logit, 0)], abs=1e-6)
    loss.sum().backward()
    assert torch.isfinite(logits.grad).all()


def test_half_precision_is_computed_in_float32():
    logits, targets = torch.randn(20).bfloat16(), torch.rand(20)
    loss = TALVarifocalLoss()(logits, targets)
    assert loss.dtype == torch.float32
    assert torch.equal(loss, TALVarifocalLoss()(logits.float(), targets))
