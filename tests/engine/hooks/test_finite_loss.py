from pathlib import Path

import pytest


@pytest.mark.parametrize('interval', [1, 100])
def test_a_diverged_training_ends_and_saves_nothing_of_it(toy_runner, interval):
    runner = toy_runner(default_hooks=dict(
        finite_loss=dict(type='FiniteLossHook', interval=interval)))
    runner.model.linear.weight.data[0, 0] = float('nan')
    where = 1 if interval == 1 else 5  # the last of 5 iterations
    with pytest.raises(FloatingPointError, match=f'loss of iteration {where} of epoch 1 is nan'):
        runner.train()
    assert not list(Path(runner.work_dir).glob('*.pth'))
