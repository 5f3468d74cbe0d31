"""Randomness of an epoch."""
import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from cltdr_mm.engine import EpochSeedHook, seed_worker
from cltdr_mm.engine.hooks import epoch_seed


class Draws(Dataset):

    def __len__(self):
        return 4

    def __getitem__(self, index):
        return np.array([random.random(), np.random.rand(), float(torch.rand(()))])


class FakeRunner:

    def __init__(self, seed, epoch):
        self.seed, self.epoch = seed, epoch


def draws(seed, epoch, workers=0):
    EpochSeedHook().before_train_epoch(FakeRunner(seed, epoch))
    loader = DataLoader(Draws(), batch_size=None, num_workers=workers, worker_init_fn=seed_worker)
    return np.stack([np.asarray(x) for x in loader])


@pytest.mark.parametrize('workers', [0, 2])
def test_epochs_differ_and_repeat(workers):
    first = draws(3, 0, workers)
    np.testing.assert_array_equal(first, draws(3, 0, workers))
    for other in (draws(3, 1, workers), draws(4, 0, workers)):
        assert not np.isin(first, other).any()
    assert len(np.unique(first)) == first.size  # workers do not repeat each other


def test_ranks_differ(monkeypatch):
    first = draws(3, 0)
    monkeypatch.setattr(epoch_seed, 'get_rank', lambda: 1)
    assert not np.isin(first, draws(3, 0)).any()


@pytest.mark.parametrize('persistent', [True, False])
def test_workers_that_keep_their_seed_are_warned_of(persistent):
    said = []
    runner = FakeRunner(0, 0)
    runner.logger = SimpleNamespace(warning=said.append)
    runner.train_dataloader = DataLoader(Draws(), num_workers=1, persistent_workers=persistent)
    EpochSeedHook().before_train(runner)
    assert len(said) == persistent and all('persistent_workers=True' in line for line in said)
