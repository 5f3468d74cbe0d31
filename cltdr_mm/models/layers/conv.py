"""Convolutions of tables of rows, with the state dicts of ``torch.nn``'s."""
from typing import Optional

import torch
from torch import Tensor, nn

from ...structures import Layout
from .convolution import dense_conv, dense_taps, depthwise_conv, depthwise_taps, linear


class Conv(nn.Conv1d):
    """Convolution over time of a table (R, C), at stride 1 or 2.

    Rows beyond either end of a sequence count as zero, so that gaps must be zero where the kernel
    is wider than 1. What comes out in gaps means nothing.

    Args:
        in_channels (int): Channels of the input.
        out_channels (int): Channels of the output.
        kernel_size (int): Odd.
        stride (int): 2 halves the grid. Defaults to 1.
        groups (int): 1, or ``in_channels`` for a depth-wise convolution. Defaults to 1.
        bias (bool): Whether to learn a bias, which starts at zero. Defaults to True.

    Raises:
        ValueError: If the kernel is even, whose output would be shifted by half a row, or on
            another stride or number of groups.
    """

    def __init__(self,
                 in_channels: int,
                 out_channels: int,
                 kernel_size: int,
                 stride: int = 1,
                 groups: int = 1,
                 bias: bool = True) -> None:
        if kernel_size % 2 == 0:
            raise ValueError(f'kernel_size must be odd, got {kernel_size}')
        if stride not in (1, 2):
            raise ValueError(f'stride must be 1 or 2, got {stride}')
        depthwise = groups == in_channels == out_channels
        if groups != 1 and not depthwise:
            raise ValueError(f'groups must be 1 or the channels of input and output, got {groups}')
        super().__init__(in_channels, out_channels, kernel_size, stride,
                         padding=kernel_size // 2, groups=groups, bias=bias)
        self.depthwise = depthwise
        if bias:
            nn.init.zeros_(self.bias)

    @property
    def reach(self) -> int:
        """int: Rows to either side that a row sees."""
        return self.kernel_size[0] // 2

    def forward(self, x: Tensor, layout: Optional[Layout] = None) -> Tensor:
        """Convolve.

        Args:
            x (Tensor): (R, C).
            layout (Layout): Of its rows; not needed by a kernel of 1 at stride 1.

        Returns:
            Tensor: (R, D) at stride 1, else (R', D) with ``layout.half``, whose gaps are zero.
        """
        if self.reach or self.stride[0] == 2:
            if not hasattr(layout, 'check'):
                raise TypeError(f'{type(self).__name__} takes a table and its Layout since 0.2.0, '
                                f'got {type(layout).__name__}')
            layout.check(x)
        if self.stride[0] == 2:
            return self.halve(x, layout)
        if self.reach and self.reach > layout.gap:
            wide = layout.with_gap(self.reach)
            return wide.move(self(layout.move(x, wide), wide), layout)
        if self.depthwise:
            return depthwise_conv(x, self.weight, self.bias_or_zero())
        if not self.reach:
            return linear(x, self.weight[:, :, 0], self.bias)
        return self.add_bias(dense_conv(x, self.weight))

    def halve(self, x: Tensor, layout: Layout) -> Tensor:
        """Convolve at stride 2, see :meth:`forward`."""
        if self.reach > layout.gap:
            wide = layout.with_gap(self.reach)
            return wide.half.move(self.halve(layout.move(x, wide), wide), layout.half)
        taps = [x.index_select(0, layout.every_second + shift)
                for shift in range(-self.reach, self.reach + 1)]
        if self.depthwise:
            out = depthwise_taps(taps, self.weight, self.bias_or_zero())
        else:
            out = self.add_bias(dense_taps(taps, self.weight))
        return layout.half.place(out)

    def add_bias(self, x: Tensor) -> Tensor:
        """Add the bias in its own type: a prediction keeps its digits under autocast."""
        return x if self.bias is None else x + self.bias

    def bias_or_zero(self) -> Tensor:
        """The bias, (D,)."""
        return self.weight.new_zeros(self.out_channels) if self.bias is None else self.bias


class NamedConv(nn.Module):
    """A :class:`Conv` whose parameters lie under ``conv``, as published state dicts have it.

    Args:
        *args: See :class:`Conv`.
        **kwargs: See :class:`Conv`.
    """

    def __init__(self, *args, **kwargs) -> None:
        super().__init__()
        self.conv = Conv(*args, **kwargs)

    def forward(self, x: Tensor, layout: Layout) -> Tensor:
        """Convolve a table, see :meth:`Conv.forward`."""
        return self.conv(x, layout)


def depthwise(channels: int, kernel_size: int, stride: int = 1) -> Conv:
    """A depth-wise convolution.

    Args:
        channels (int): Number of channels.
        kernel_size (int): Odd.
        stride (int): 1 or 2. Defaults to 1.

    Returns:
        Conv: State dict keys ``weight`` (C, 1, kernel_size) and ``bias`` (C,).
    """
    return Conv(channels, channels, kernel_size, stride, groups=channels)


class Upsample2x(nn.ConvTranspose1d):
    """Transposed convolution of kernel 3 and stride 2 from a level to the next finer one.

    Even rows lie on one row of the coarser level and odd ones between two, so that two ordinary
    convolutions do the work without multiplying the zeros that a transposed convolution inserts.
    The state dict is that of ``nn.ConvTranspose1d``.

    Args:
        channels (int): Channels of input and output.
        groups (int): 1, or ``channels`` to make it depth-wise. Defaults to 1.

    Raises:
        ValueError: On other groups.
    """

    def __init__(self, channels: int, groups: int = 1) -> None:
        if groups not in (1, channels):
            raise ValueError(f'Upsample2x: groups must be 1 or {channels}, got {groups}')
        super().__init__(channels, channels, 3, stride=2, padding=1, output_padding=1,
                         groups=groups)

    def forward(self, x: Tensor, layout: Layout) -> Tensor:
        """Bring every level of a pyramid to the grid of the next finer one.

        Args:
            x (Tensor): (R, C), all levels in one table, zero in gaps.
            layout (Layout): Theirs.

        Returns:
            Tensor: (R, C), zero on the coarsest level and in gaps.
        """
        at = layout.coarser
        even = [x.index_select(0, at.even_parent)]
        # an odd row sees the later of its parents through the first tap, the earlier by the last
        odd = [x.index_select(0, at.odd_parent + 1), x.index_select(0, at.odd_parent)]
        first, middle, last = self.weight.split(1, dim=2)
        outer = torch.cat([first, last], dim=2)
        if self.groups > 1:
            even = depthwise_taps(even, middle, self.bias)
            odd = depthwise_taps(odd, outer, self.bias)
        else:  # the weight of a transposed convolution is (in, out, k)
            even = dense_taps(even, middle.transpose(0, 1)) + self.bias
            odd = dense_taps(odd, outer.transpose(0, 1)) + self.bias
        return layout.place(torch.cat([even, odd]), torch.cat([at.even, at.odd]))


class Downsample2x(nn.Conv1d):
    """Convolution of kernel 3 and stride 2 from a level to the next coarser one.

    Args:
        channels (int): Channels of input and output.
        groups (int): 1, or ``channels`` to make it depth-wise. Defaults to 1.
    """

    def __init__(self, channels: int, groups: int = 1) -> None:
        super().__init__(channels, channels, 3, stride=2, padding=1, groups=groups)

    def forward(self, x: Tensor, layout: Layout) -> Tensor:
        """Bring every level of a pyramid to the grid of the next coarser one.

        Args:
            x (Tensor): (R, C), all levels in one table, zero in gaps.
            layout (Layout): Theirs.

        Returns:
            Tensor: (R, C), zero on the finest level and in gaps.
        """
        rows, centres = layout.finer
        taps = [x.index_select(0, centres + shift) for shift in (-1, 0, 1)]
        if self.groups > 1:
            out = depthwise_taps(taps, self.weight, self.bias)
        else:
            out = dense_taps(taps, self.weight) + self.bias
        return layout.place(out, rows)
