"""What MMEngine's Runner needs from us: optimisation, seeding, checkpoints, start-up."""
from .checkpoint_io import register_safe_globals
from .hooks import EpochSeedHook, FiniteLossHook, SetupCheckHook, seed_worker
from .optim import (
    CPUAmpOptimWrapper,
    TALOptimWrapperConstructor,
    WarmupCosineLR,
    WarmupEMA,
    takes_weight_decay,
)

__all__ = [
    'CPUAmpOptimWrapper', 'EpochSeedHook', 'FiniteLossHook', 'SetupCheckHook',
    'TALOptimWrapperConstructor', 'WarmupCosineLR', 'WarmupEMA', 'register_safe_globals',
    'seed_worker', 'takes_weight_decay'
]
