"""Averaged weights for trainings of any length."""
import torch.nn as nn
from mmaction.registry import MODELS
from mmengine.model import ExponentialMovingAverage


@MODELS.register_module()
class WarmupEMA(ExponentialMovingAverage):
    """Exponential moving average whose memory grows with the training.

    The published recipes keep 0.999 of the average at each step, that is, look back on about 1000
    steps. A training of a few hundred steps (HAPT has 21 an epoch) would then be judged on
    weights close to the random ones it started from. Here the share kept after t updates is
    ``min(1 - momentum, (1 + t) / (10 + t))``: the last tenth of the training so far, until that
    exceeds the published memory (at 9,000 steps for 0.999), from where on both are the same.

    Args:
        model (nn.Module): The model to be averaged.
        momentum (float): Share of the new weights in the long run, 1 minus the decay.
            Defaults to 0.001.
        **kwargs: See :class:`mmengine.model.ExponentialMovingAverage`.
    """

    def __init__(self, model: nn.Module, momentum: float = 0.001, **kwargs):
        super().__init__(model, momentum=momentum, **kwargs)
        self.final_momentum = momentum

    def update_parameters(self, model: nn.Module) -> None:
        """Take one step of the average.

        Args:
            model (nn.Module): The model that is trained.
        """
        # Once per step rather than in avg_func, which runs per tensor: reading the counter waits
        # for the GPU.
        self.momentum = max(self.final_momentum, 9 / (10 + int(self.steps)))
        super().update_parameters(model)
