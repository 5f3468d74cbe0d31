"""What is optimised how: parameter groups, precision, learning rate, averaged weights."""
from .averaged_model import WarmupEMA
from .cpu_amp import CPUAmpOptimWrapper
from .param_groups import TALOptimWrapperConstructor, takes_weight_decay
from .warmup_cosine import WarmupCosineLR

__all__ = [
    'CPUAmpOptimWrapper', 'TALOptimWrapperConstructor', 'WarmupCosineLR', 'WarmupEMA',
    'takes_weight_decay'
]
