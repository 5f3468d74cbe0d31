"""By how many positives a loss is divided: a running mean that survives a resume."""
import torch
from mmengine.dist import all_reduce, get_world_size
from torch import Tensor, nn


class EMANormalizer(nn.Module):
    """Exponential moving average of the number of positives of a step.

    The average of few positives in one short video must not blow up its gradient (ActionFormer,
    ECCV 2022, sec. 3.4). Kept is the number of all ranks together, and each divides by its share: a
    job yields the same gradients however many ranks share it, from the first step on and after a
    resume on another number of ranks.

    Args:
        init (float): Value before the first step, about the positives of an average batch.
            Defaults to 100.
        momentum (float): Share of the old value. Defaults to 0.9.

    Raises:
        ValueError: If ``init`` is not positive or ``momentum`` outside [0, 1).
    """

    def __init__(self, init: float = 100., momentum: float = 0.9) -> None:
        super().__init__()
        if not init > 0:
            raise ValueError(f'EMANormalizer: init must be positive, got {init}')
        if not 0 <= momentum < 1:
            raise ValueError(f'EMANormalizer: momentum must lie in [0, 1), got {momentum}')
        self.momentum = momentum
        # double: the published code keeps a Python float, and the value shall be the same
        self.register_buffer('value', torch.tensor(float(init), dtype=torch.float64))

    def _apply(self, fn, recurse: bool = True):
        # some devices have no double, and a model's change of type is not meant for a counter
        exact = self.value
        self.value = exact.float()
        super()._apply(fn, recurse)
        if self.value.device.type != 'mps':
            self.value = exact.to(self.value.device)
        else:
            self.value = self.value.float()
        return self

    def forward(self, count: Tensor) -> Tensor:
        """Take in the positives of a step.

        Args:
            count (Tensor): Number of positives on this rank, a scalar.

        Returns:
            Tensor: This rank's share of the average after the step, a float32 scalar; in evaluation
            mode of the average as it is.
        """
        if self.training:
            total = count.detach().to(self.value, copy=True)
            all_reduce(total, op='sum')
            total = total.clamp(min=1)
            self.value.copy_(self.momentum * self.value + (1 - self.momentum) * total)
        return self.share

    @property
    def share(self) -> Tensor:
        """Tensor: This rank's share of the average, a float32 scalar."""
        return (self.value / get_world_size()).float()


def mean_over_ranks(count: Tensor) -> Tensor:
    """Mean of a scalar over all ranks, without gradient; the scalar itself on one rank."""
    count = count.detach().clone()
    all_reduce(count, op='mean')
    return count
