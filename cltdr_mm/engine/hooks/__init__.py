"""Hooks of the Runner: what happens before, during and after a run beside the training itself."""
from .checkpoint import TALCheckpointHook
from .class_scalars import TALLoggerHook
from .epoch_seed import EpochSeedHook, seed_worker
from .finite_loss import FiniteLossHook
from .setup_check import SetupCheckHook

__all__ = [
    'EpochSeedHook', 'FiniteLossHook', 'SetupCheckHook', 'TALCheckpointHook', 'TALLoggerHook',
    'seed_worker'
]
