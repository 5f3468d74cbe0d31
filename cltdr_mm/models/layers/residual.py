"""Residual branches: a learned factor a channel, and stochastic depth."""
import torch
from torch import Tensor, nn

from ...structures import Layout


class ScaledDropPath(nn.Module):
    """Adds a branch to its shortcut, with stochastic depth and a learned factor per channel.

    In training the branch of a whole sequence is dropped with probability ``drop_prob`` and divided
    by ``1 - drop_prob`` otherwise; at inference only the factor is applied (LayerScale).

    Args:
        channels (int): Number of channels C.
        drop_prob (float): Probability of dropping, in [0, 1). Defaults to 0.0.
        init_scale (float, optional): Starting value of the factors; None for a branch without
            factors. Defaults to 1e-4.

    Raises:
        ValueError: If ``drop_prob`` is not in [0, 1).
    """

    def __init__(self, channels: int, drop_prob: float = 0.0, init_scale: float = 1e-4) -> None:
        super().__init__()
        if not 0 <= drop_prob < 1:
            raise ValueError(f'drop_prob must lie in [0, 1), got {drop_prob}')
        self.drop_prob = drop_prob
        self.scale = None if init_scale is None else nn.Parameter(
            torch.full((1, channels, 1), float(init_scale)))

    def forward(self, shortcut: Tensor, branch: Tensor, layout: Layout) -> Tensor:
        """Add.

        Args:
            shortcut (Tensor): (R, C).
            branch (Tensor): (R, C).
            layout (Layout): Of their rows.

        Returns:
            Tensor: (R, C).
        """
        scale = None if self.scale is None else self.scale.flatten()
        keep = 1 - self.drop_prob if self.training else 1.
        if keep < 1:
            # drawn on the host, whose generator is seeded each epoch, whatever the device
            kept = torch.rand(len(layout), 1) < keep  # (S, 1)
            if not kept.all():
                branch = branch * layout.expand(kept.to(branch))
            scale = None if scale is None else scale / keep
        if scale is None:
            return torch.add(shortcut, branch, alpha=1 / keep)
        return torch.addcmul(shortcut, branch, scale)

    def extra_repr(self) -> str:
        """Constructor arguments, for ``print(model)``."""
        return f'drop_prob={self.drop_prob}'
