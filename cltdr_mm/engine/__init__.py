"""What MMEngine's Runner needs from us: optimisation, seeding, checkpoints, start-up.

- Before a run, a command line into the config: ``runtime``, ``folds``, ``machine``.
- In a run, called by the Runner: ``hooks/``, ``optim/``.
- Checkpoints: ``checkpoint_io`` (read safely), ``checkpoint_config`` (the config in one),
  ``checkpoint_fit`` and ``older_defaults`` (does one belong to this model?),
  ``checkpoint_conversion`` (published ones), ``score_threshold`` (a number kept in one),
  ``work_dir`` (where they lie), ``resuming`` (going on from one).
- Do the parts of a run fit MMAction2's? ``mmaction_fit``.
- What a person sees and wants to know: ``screen``, ``complexity``.
"""
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
