"""Normalisation over channels (and groups of them) of (B, C, T) sequences."""
import torch
from torch import Tensor, nn


def _upcast(x: Tensor) -> Tensor:
    """Half precision tensors as float32, others as they are: statistics need the digits."""
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x


class ChannelLayerNorm(nn.Module):
    """LayerNorm over the channels of every time step of a (B, C, T) tensor.

    The result has the wider type of input and weights: float32 under autocast, so that the
    residual stream of a block keeps its digits.

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

    def forward(self, x: Tensor) -> Tensor:
        """Normalise every step.

        Args:
            x (Tensor): (B, C, T). A padded step of zeros comes out as the bias, not as zero.

        Returns:
            Tensor: (B, C, T).
        """
        dtype = torch.promote_types(x.dtype, self.weight.dtype)
        x = _upcast(x)
        centred = x - x.mean(dim=1, keepdim=True)
        rstd = (centred.square().mean(dim=1, keepdim=True) + self.eps).rsqrt()
        return torch.addcmul(self.bias, centred * rstd, self.weight).to(dtype)

    def extra_repr(self) -> str:
        """Constructor arguments, for ``print(model)``."""
        return f'{self.channels}, eps={self.eps}'


class MaskedGroupNorm(nn.Module):
    """GroupNorm of (B, C, T) whose statistics come from the valid steps only.

    ``nn.GroupNorm`` averages over padding too, so a video's features change with its padding.
    On a fully valid input both agree. Keys and shapes of the state dict are the same.

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

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Normalise every group of every sample.

        Args:
            x (Tensor): (B, C, T).
            mask (Tensor): (B, T) bool, True where valid.

        Returns:
            Tensor: (B, C, T), zero outside the mask.
        """
        dtype = x.dtype
        if self.weight is not None:
            dtype = torch.promote_types(dtype, self.weight.dtype)
        x = _upcast(x)
        batch, channels, _ = x.shape
        valid = mask[:, None].to(x.dtype)  # (B, 1, T)
        # An empty row divides by one instead of zero and comes out as zeros.
        count = valid.sum(dim=-1).clamp(min=1) * (channels // self.num_groups)  # (B, 1)

        def group_mean(value: Tensor) -> Tensor:  # (B, C, T) -> (B, C, 1), equal within a group
            sums = value.sum(dim=-1).view(batch, self.num_groups, -1).sum(dim=-1)  # (B, G)
            return (sums / count).repeat_interleave(channels // self.num_groups, dim=1)[..., None]

        centred = (x - group_mean(x * valid)) * valid
        rstd = (group_mean(centred.square()) + self.eps).rsqrt()  # (B, C, 1)
        if self.weight is None:
            return (centred * rstd).to(dtype)
        out = torch.addcmul(self.bias[:, None], centred, rstd * self.weight[:, None])
        return (out * valid).to(dtype)

    def extra_repr(self) -> str:
        """Constructor arguments, for ``print(model)``."""
        return (f'{self.num_groups}, {self.channels}, eps={self.eps}, '
                f'affine={self.weight is not None}')
