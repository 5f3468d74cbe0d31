"""Normalisation of tables of rows."""
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...structures import Layout
from .convolution import is_exported


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


def set_norm_eps(part: nn.Module, eps: float) -> None:
    """Give every channel LayerNorm of a part another ``eps``.

    Args:
        part (nn.Module): The part.
        eps (float): Added to the variance.

    Raises:
        ValueError: If it is not positive.
    """
    if eps <= 0:
        raise ValueError(f'norm_eps must be positive, got {eps}')
    for module in part.modules():
        if isinstance(module, ChannelLayerNorm):
            module.eps = eps


class _Standardise(torch.autograd.Function):
    """Zero mean and unit variance of every group of channels of every sequence."""

    @staticmethod
    def forward(ctx, x: Tensor, layout: Layout, num_groups: int, eps: float) -> Tensor:
        centred, rstd = _centre(x.unflatten(1, (num_groups, -1)), layout, eps)
        out = centred.mul_(rstd)
        ctx.save_for_backward(out, rstd)
        ctx.layout = layout
        return out.flatten(1)

    @staticmethod
    def backward(ctx, grad: Tensor):
        out, rstd = ctx.saved_tensors  # (R, G, C / G), (R, G, 1)
        grad = grad.view_as(out)
        # of the gradient what changes a group's mean or its variance has no effect
        shift, spread = _group_mean(grad, ctx.layout), _group_mean(grad * out, ctx.layout)
        grad = torch.addcmul(grad - shift, out, spread, value=-1).mul_(rstd).flatten(1)
        return ctx.layout.zero_gaps(grad, inplace=True), None, None, None


def _centre(x: Tensor, layout: Layout, eps: float) -> tuple[Tensor, Tensor]:
    """(R, G, C / G) less the mean of its group, and one over its standard deviation, (R, G, 1)."""
    centred = x - _group_mean(x, layout)
    return centred, (_group_mean(centred.square(), layout) + eps).rsqrt()


def _group_mean(x: Tensor, layout: Layout) -> Tensor:
    """Mean over a sequence and a group of channels, (R, G, C / G) to (R, G, 1)."""
    return layout.expand(layout.mean(x.mean(2)))[..., None]


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
        if is_exported():  # a function of our own is not recorded
            centred, rstd = _centre(x.unflatten(1, (self.num_groups, -1)), layout, self.eps)
            out = (centred * rstd).flatten(1)
        else:
            out = _Standardise.apply(x, layout, self.num_groups, self.eps)  # (R, C)
        if self.weight is not None:
            out = torch.addcmul(self.bias, out, self.weight)
        return layout.zero_gaps(out.to(dtype))

    def extra_repr(self) -> str:
        """Constructor arguments, for ``print(model)``."""
        return (f'{self.num_groups}, {self.channels}, eps={self.eps}, '
                f'affine={self.weight is not None}')
