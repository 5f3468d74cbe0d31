"""CPUAmpOptimWrapper: mixed precision where there is no GPU."""
from contextlib import contextmanager

import torch
import torch.nn as nn
from mmaction.registry import OPTIM_WRAPPERS
from mmengine.optim import OptimWrapper


@OPTIM_WRAPPERS.register_module()
class CPUAmpOptimWrapper(OptimWrapper):
    """Optimizer wrapper that runs the forward pass in bfloat16 on a CPU.

    MMEngine's ``AmpOptimWrapper`` insists on an accelerator. bfloat16 has float32's range, so no
    loss scaling is needed; weights, gradients and optimizer state stay float32.

    Args:
        **kwargs: See :class:`mmengine.optim.OptimWrapper`.
    """

    @contextmanager
    def optim_context(self, model: nn.Module):
        """Enter autocast for one forward pass and its losses, in what the base enters."""
        with super().optim_context(model), torch.autocast('cpu', dtype=torch.bfloat16):
            yield
