"""By how many positives a loss is divided: a running mean that survives a resume."""
import torch
from mmengine.dist import all_reduce
from torch import Tensor, nn


class EMANormalizer(nn.Module):
    """Exponential moving average of the number of positives per rank and step.

    The average of few positives in one short video must not blow up its gradient (ActionFormer,
    ECCV 2022, sec. 3.4). The number is averaged over all ranks first, so that a job yields the
    same losses however many ranks share it, and it is a buffer: a resumed run goes on with it.

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

    def forward(self, count: Tensor) -> Tensor:
        """Take in the positives of a step.

        Args:
            count (Tensor): Number of positives on this rank, a scalar.

        Returns:
            Tensor: The average after the step, a float32 scalar; in evaluation mode the average
            as it is.
        """
        if not self.training:
            return self.value.float()
        count = mean_over_ranks(count.to(self.value)).clamp(min=1)
        self.value.copy_(self.momentum * self.value + (1 - self.momentum) * count)
        return self.value.float()


def mean_over_ranks(count: Tensor) -> Tensor:
    """Mean of a scalar over all ranks, without gradient; the scalar itself on one rank."""
    count = count.detach().clone()
    all_reduce(count, op='mean')
    return count
