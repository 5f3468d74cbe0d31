"""Learned factors: one for a whole tensor, or one a channel on a residual branch."""
import torch
from torch import Tensor, nn


class Scale(nn.Module):
    """Multiplies its input by one learned number.

    Args:
        init (float): Starting value. Defaults to 1.0.
    """

    def __init__(self, init: float = 1.0) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(float(init)))

    def forward(self, x: Tensor) -> Tensor:
        """Scale a tensor of any shape."""
        return x * self.scale


class ScaledDropPath(nn.Module):
    """Stochastic depth with a learned factor per channel (LayerScale).

    In training a whole sample's branch is dropped with probability ``drop_prob`` and divided by
    ``1 - drop_prob`` otherwise; at inference only the factor is applied.

    Args:
        channels (int): Number of channels C.
        drop_prob (float): Probability of dropping, in [0, 1). Defaults to 0.0.
        init_scale (float): Starting value of the factors. Defaults to 1e-4.

    Raises:
        ValueError: If ``drop_prob`` is not in [0, 1).
    """

    def __init__(self, channels: int, drop_prob: float = 0.0, init_scale: float = 1e-4) -> None:
        super().__init__()
        if not 0 <= drop_prob < 1:
            raise ValueError(f'drop_prob must lie in [0, 1), got {drop_prob}')
        self.drop_prob = drop_prob
        self.scale = nn.Parameter(torch.full((1, channels, 1), float(init_scale)))

    def forward(self, x: Tensor) -> Tensor:
        """Scale the branch and, in training, drop it for some samples.

        Args:
            x (Tensor): (B, C, T), the branch without its shortcut.

        Returns:
            Tensor: (B, C, T).
        """
        scale = self.scale
        if self.training and self.drop_prob > 0:
            # Folded into the factor: (B, C, 1) numbers to multiply instead of (B, C, T).
            keep = 1 - self.drop_prob
            kept = torch.rand(x.shape[0], 1, 1, device=x.device, dtype=scale.dtype) < keep
            scale = scale * kept / keep
        return x * scale

    def extra_repr(self) -> str:
        """Constructor arguments, for ``print(model)``."""
        return f'{self.scale.shape[1]}, drop_prob={self.drop_prob}'
