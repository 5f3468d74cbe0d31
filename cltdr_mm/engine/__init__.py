"""What MMEngine's Runner needs from us: optimisation, seeding, checkpoints, start-up."""
from . import checkpoint_io  # noqa: F401  (declares what checkpoints may hold)
from .hooks import (
    EpochSeedHook,
    FiniteLossHook,
    SetupCheckHook,
    TALCheckpointHook,
    TALLoggerHook,
    seed_worker,
)
from .optim import (
    CPUAmpOptimWrapper,
    TALOptimWrapperConstructor,
    WarmupCosineLR,
    WarmupEMA,
    takes_weight_decay,
)
from .vit_weights import PretrainedViT

__all__ = [
    'CPUAmpOptimWrapper', 'EpochSeedHook', 'FiniteLossHook', 'PretrainedViT', 'SetupCheckHook',
    'TALCheckpointHook', 'TALLoggerHook', 'TALOptimWrapperConstructor', 'WarmupCosineLR',
    'WarmupEMA', 'seed_worker', 'takes_weight_decay'
]
