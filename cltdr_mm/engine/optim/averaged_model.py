"""WarmupEMA: averaged weights, for trainings of any length."""
import torch.nn as nn
from mmaction.registry import MODELS
from mmengine.model import MomentumAnnealingEMA
from torch import Tensor


@MODELS.register_module()
class WarmupEMA(MomentumAnnealingEMA):
    """Exponential moving average whose memory grows with the training.

    The published recipes keep 0.999 of the average at each step, that is, look back on about 1000
    steps. A training of a few hundred steps (HAPT has 21 an epoch) would then be judged on
    weights close to the random ones it started from. Here the share kept after t updates is
    ``min(1 - momentum, (1 + t) / (10 + t))``: the last tenth of the training so far, until that
    exceeds the published memory (at 9,000 steps for 0.999), from where on both are the same.
    MMEngine's own annealing at ``gamma=9`` is one step behind.

    Args:
        model (nn.Module): The model to be averaged.
        momentum (float): Share of the new weights in the long run, 1 minus the decay.
            Defaults to 0.001.
        gamma (int): The share kept is ``(1 + t) / (1 + gamma + t)``. Defaults to 9.
        **kwargs: See :class:`mmengine.model.MomentumAnnealingEMA`.
    """

    def __init__(self, model: nn.Module, momentum: float = 0.001, gamma: int = 9, **kwargs):
        super().__init__(model, momentum=momentum, gamma=gamma, **kwargs)
        self.share = 1.

    def update_parameters(self, model: nn.Module) -> None:
        """Take one step of the average towards the model that is trained."""
        # once a step; the base reads the counter, which may be on a GPU, for every tensor
        self.share = max(self.momentum, self.gamma / (1 + self.gamma + int(self.steps)))
        super().update_parameters(model)

    def avg_func(self, averaged_param: Tensor, source_param: Tensor, steps: int) -> None:
        """Move a tensor towards the trained one, see the base."""
        averaged_param.lerp_(source_param, self.share)
