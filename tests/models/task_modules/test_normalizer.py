"""The running number of positives; what two ranks make of it is in localizers/test_two_ranks.py."""
import pytest
import torch

from cltdr_mm.models.task_modules import EMANormalizer, mean_over_ranks


def test_moving_average():
    """To the last digit what a Python float would hold, as in the published code."""
    module, value = EMANormalizer(init=100, momentum=0.9), 100.
    for count in (23, 0, 7, 1000, 1):
        value = 0.9 * value + (1 - 0.9) * max(count, 1)
        assert float(module(torch.tensor(count))) == pytest.approx(value, rel=1e-7)
        assert module.value.item() == value


def test_no_momentum():
    module = EMANormalizer(init=50, momentum=0)
    assert float(module(torch.tensor(12))) == 12


def test_survives_a_resume():
    first, second = EMANormalizer(), EMANormalizer()
    first(torch.tensor(3))
    second.load_state_dict(first.state_dict())
    assert second.value.item() == first.value.item() != 100


def test_a_loss_that_is_only_looked_at_does_not_move_it():
    module = EMANormalizer(init=50).eval()
    assert float(module(torch.tensor(3))) == module.value.item() == 50


def test_no_gradient_and_no_parameter():
    module = EMANormalizer()
    assert not list(module.parameters())
    assert not module(torch.tensor(3)).requires_grad


@pytest.mark.parametrize('change', [torch.nn.Module.half, torch.nn.Module.bfloat16])
def test_a_change_of_type_keeps_its_digits(change):
    """It counts: a model in half precision still divides by what it counted."""
    module = EMANormalizer(init=1000.123456789)
    change(module)
    assert module.value.item() == 1000.123456789 and module.value.dtype == torch.float64


def test_mean_over_one_rank():
    count = torch.tensor(3., requires_grad=True)
    mean = mean_over_ranks(count)
    assert float(mean) == 3 and not mean.requires_grad


@pytest.mark.parametrize('kwargs, message', [
    (dict(init=0), 'init must be positive, got 0'),
    (dict(momentum=1.), r'momentum must lie in \[0, 1\), got 1.0'),
])
def test_wrong_arguments(kwargs, message):
    with pytest.raises(ValueError, match=message):
        EMANormalizer(**kwargs)
