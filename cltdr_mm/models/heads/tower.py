"""ConvTower: the small convolutional network that every prediction of a point head comes from."""
import math
from typing import Optional

import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from ...structures import Layout
from ..layers import ChannelLayerNorm, NamedConv


class OutputConv(NamedConv):
    """A prediction layer: zero at padding, its bias at the logit of a probability at the start.

    Args:
        in_channels (int): Channels of the features.
        out_channels (int): Channels of the output.
        kernel_size (int): Odd.
        prior_prob (float, optional): Probability to start with. Defaults to None: the bias
            starts at 0.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int,
                 prior_prob: Optional[float] = None) -> None:
        super().__init__(in_channels, out_channels, kernel_size)
        bias = 0. if prior_prob is None else math.log(prior_prob / (1 - prior_prob))
        nn.init.constant_(self.conv.bias, bias)

    @property
    def reach(self) -> int:
        """int: Rows to either side that an output depends on."""
        return self.conv.reach

    @property
    def kernel_reach(self) -> int:
        """int: Rows to either side that one layer sees."""
        return self.conv.reach

    def forward(self, x: Tensor, layout: Layout) -> Tensor:
        """Predict from a table (R, C)."""
        return layout.zero_padding(self.conv(x, layout))


class ConvTower(BaseModule):
    """Convolutions with channel LayerNorm and ReLU, then one convolution to the outputs.

    Its parameters are shared by all levels.

    Args:
        in_channels (int): Channels of the features.
        feat_channels (int): Channels of the hidden layers.
        out_channels (int, optional): Channels of the output; None leaves the output layer away
            (the refine head puts three of its own on one trunk).
        num_layers (int): Layers, the output one included. Defaults to 3.
        kernel_size (int): Kernel of every layer, odd. Defaults to 3.
        prior_prob (float, optional): Probability that the outputs shall start with, as a bias.
            Defaults to None: the bias starts at 0.
        init_cfg (dict, optional): See BaseModule.

    Raises:
        ValueError: If the kernel is even: its output would not be aligned with its input.
    """

    def __init__(self,
                 in_channels: int,
                 feat_channels: int,
                 out_channels: Optional[int],
                 num_layers: int = 3,
                 kernel_size: int = 3,
                 prior_prob: Optional[float] = None,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(init_cfg=init_cfg)
        if kernel_size % 2 == 0:
            raise ValueError(f'ConvTower: kernel_size must be odd, got {kernel_size}')
        widths = [in_channels] + [feat_channels] * (num_layers - 1)
        # the LayerNorm's bias follows: the convolution needs none
        self.convs = nn.ModuleList(
            NamedConv(i, o, kernel_size, bias=False) for i, o in zip(widths, widths[1:]))
        self.norms = nn.ModuleList(ChannelLayerNorm(width) for width in widths[1:])
        self.kernel_reach = kernel_size // 2
        self.reach = self.kernel_reach * (num_layers if out_channels else num_layers - 1)
        self.out = None
        if out_channels is not None:
            self.out = OutputConv(widths[-1], out_channels, kernel_size, prior_prob)

    def forward(self, x: Tensor, layout: Layout) -> Tensor:
        """Predict.

        Args:
            x (Tensor): (R, C), zero in gaps.
            layout (Layout): Of its rows.

        Returns:
            Tensor: (R, out_channels), zero at padding; without an output layer (R, feat_channels),
            zero in gaps.
        """
        for conv, norm in zip(self.convs, self.norms):
            hidden = layout.zero_padding(conv(x, layout))  # (R, D)
            x = F.relu(norm(hidden, layout), inplace=True)
        return x if self.out is None else self.out(x, layout)
