"""Hooks of the Runner."""
from .epoch_seed import EpochSeedHook, seed_worker

__all__ = ['EpochSeedHook', 'seed_worker']
