"""Convolutions of (B, C, T) sequences with a validity mask."""
import torch
from torch import Tensor, nn


def mask_steps(x: Tensor, mask: Tensor) -> Tensor:
    """Zero the padded steps of a sequence.

    Args:
        x (Tensor): (B, C, T).
        mask (Tensor): (B, T) bool, True where valid.

    Returns:
        Tensor: (B, C, T).
    """
    return x * mask[:, None].to(x.dtype)


class MaskedConv1d(nn.Module):
    """1-D convolution whose padded output steps are zero.

    Only the output is masked: as long as every layer before it leaves zeros at padded steps, a
    step next to the padding sees what it would see at the end of an unpadded input.

    Args:
        in_channels (int): Channels of the input.
        out_channels (int): Channels of the output.
        kernel_size (int): Odd; the input is zero-padded by ``kernel_size // 2``.
        stride (int): Step of the output grid in steps of the input. Defaults to 1.
        groups (int): As in ``nn.Conv1d``. Defaults to 1.
        bias (bool): Whether to learn a bias, which starts at zero. Defaults to True.

    Raises:
        ValueError: If the kernel is even: its output grid would be shifted by half a step.
    """

    def __init__(self,
                 in_channels: int,
                 out_channels: int,
                 kernel_size: int,
                 stride: int = 1,
                 groups: int = 1,
                 bias: bool = True) -> None:
        super().__init__()
        if kernel_size % 2 == 0:
            raise ValueError(f'kernel_size must be odd, got {kernel_size}')
        self.stride = stride
        self.conv = nn.Conv1d(
            in_channels,
            out_channels,
            kernel_size,
            stride=stride,
            padding=kernel_size // 2,
            groups=groups,
            bias=bias)
        if bias:
            nn.init.zeros_(self.conv.bias)

    def forward(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Convolve, then zero what is padding.

        Args:
            x (Tensor): (B, C_in, T).
            mask (Tensor): (B, T) bool, True where valid.

        Returns:
            tuple[Tensor, Tensor]: (B, C_out, ceil(T / stride)) and its mask, every ``stride``-th
            step of the given one.
        """
        if self.stride > 1:
            mask_out = mask[:, ::self.stride]
        else:
            mask_out = mask
        return mask_steps(self.conv(x), mask_out), mask_out


class DepthwiseScale(nn.Module):
    """Depth-wise convolution of kernel 1: one factor and one offset per channel.

    The same as ``nn.Conv1d(C, C, 1, groups=C)``, with its state dict, computed as a multiply-add,
    which is many times faster than the convolution kernels' path for this case.

    Args:
        channels (int): Number of channels C.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.weight = nn.Parameter(torch.empty(channels, 1, 1))
        self.bias = nn.Parameter(torch.zeros(channels))
        # What nn.Conv1d draws from at a fan-in of 1: uniform within +-1.
        nn.init.uniform_(self.weight, -1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Scale and shift every channel.

        Args:
            x (Tensor): (B, C, T).

        Returns:
            Tensor: (B, C, T).
        """
        return torch.addcmul(self.bias[:, None], x, self.weight[:, 0])

    def extra_repr(self) -> str:
        """Constructor arguments, for ``print(model)``."""
        return f'{self.channels}'


def depthwise_conv(channels: int, kernel_size: int) -> nn.Module:
    """Depth-wise convolution that keeps the length, in its fastest form.

    Args:
        channels (int): Number of channels.
        kernel_size (int): Odd.

    Returns:
        nn.Module: Maps (B, C, T) to (B, C, T); state dict keys ``weight`` (C, 1, kernel_size) and
        ``bias`` (C,) whatever the kernel; the bias starts at zero.

    Raises:
        ValueError: If the kernel is even.
    """
    if kernel_size % 2 == 0:
        raise ValueError(f'kernel_size must be odd, got {kernel_size}')
    if kernel_size == 1:
        return DepthwiseScale(channels)
    conv = nn.Conv1d(channels, channels, kernel_size, padding=kernel_size // 2, groups=channels)
    nn.init.zeros_(conv.bias)
    return conv
