"""Normalisation of tables of rows."""
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...structures import Layout


class ChannelLayerNorm(nn.Module):
    """LayerNorm over the channels of every row.

    Args:
        channels (int): Number of channels C.
        eps (float): Added to the variance. Defaults to 1e-5.
    """

    def __init__(self, channels: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.channels = channels
        self.eps = eps
        # The published layout; converted checkpoints load as they are.
        self.weight = nn.Parameter(torch.ones(1, channels, 1))
        self.bias = nn.Parameter(torch.zeros(1, channels, 1))

    def forward(self, x: Tensor, layout: Layout) -> Tensor:
        """Normalise every row.

        Args:
            x (Tensor): (R, C); statistics are float32 at least.
            layout (Layout): Of its rows.

        Returns:
            Tensor: (R, C) of the type of x, zero in gaps, which the bias would fill.
        """
        with torch.autocast(x.device.type, enabled=False):
            if x.device.type == 'cpu' or x.dtype == self.weight.dtype:
                out = F.layer_norm(x, (self.channels, ), self.weight.flatten(),
                                   self.bias.flatten(), self.eps)
            else:  # other devices have no kernel for two types
                out = F.layer_norm(x.to(self.weight.dtype), (self.channels, ),
                                   self.weight.flatten(), self.bias.flatten(), self.eps)
        # in place: the norm's backward does not read its output
        return layout.zero_gaps(out.to(x.dtype), inplace=True)

    def extra_repr(self) -> str:
        """Constructor arguments, for ``print(model)``."""
        return f'{self.channels}, eps={self.eps}'


class GroupNorm(nn.Module):
    """GroupNorm over the seen rows of every sequence.

    Keys and shapes of the state dict are those of ``nn.GroupNorm``.

    Args:
        num_groups (int): Number of groups; divides ``channels``.
        channels (int): Number of channels C.
        eps (float): Added to the variance. Defaults to 1e-5.
        affine (bool): Whether to learn a factor and an offset per channel. Defaults to True.

    Raises:
        ValueError: If ``channels`` is not a multiple of ``num_groups``.
    """

    def __init__(self,
                 num_groups: int,
                 channels: int,
                 eps: float = 1e-5,
                 affine: bool = True) -> None:
        super().__init__()
        if channels % num_groups:
            raise ValueError(f'{channels} channels do not split into {num_groups} groups')
        self.num_groups = num_groups
        self.channels = channels
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(channels)) if affine else None
        self.bias = nn.Parameter(torch.zeros(channels)) if affine else None

    def forward(self, x: Tensor, layout: Layout) -> Tensor:
        """Normalise every group of every sequence.

        Args:
            x (Tensor): (R, C); statistics are float32 at least.
            layout (Layout): Of its rows.

        Returns:
            Tensor: (R, C), zero in gaps.
        """
        dtype = x.dtype
        if dtype in (torch.float16, torch.bfloat16):
            x = x.float()
        return layout.apply(self.normalise, x).to(dtype)

    def normalise(self, x: Tensor) -> Tensor:
        """Normalise whole sequences, (b, T, C)."""
        centred = x - self.group_mean(x)
        rstd = (self.group_mean(centred.square()) + self.eps).rsqrt()  # (b, 1, C)
        if self.weight is None:
            return centred * rstd
        return torch.addcmul(self.bias, centred, rstd * self.weight)

    def group_mean(self, x: Tensor) -> Tensor:
        """Mean over time and the channels of a group, (b, T, C) to (b, 1, C)."""
        means = x.mean(1).unflatten(1, (self.num_groups, -1)).mean(2)  # (b, G)
        return means.repeat_interleave(self.channels // self.num_groups, dim=1)[:, None]

    def extra_repr(self) -> str:
        """Constructor arguments, for ``print(model)``."""
        return (f'{self.num_groups}, {self.channels}, eps={self.eps}, '
                f'affine={self.weight is not None}')
