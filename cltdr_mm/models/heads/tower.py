"""The three-layer network that every prediction of a point head comes from."""
import math
from typing import Optional

from mmengine.model import BaseModule
from torch import Tensor, nn

from ..layers import ChannelLayerNorm, MaskedConv1d


class ConvTower(BaseModule):
    """Convolutions with channel LayerNorm and ReLU, then one convolution to the outputs.

    Its parameters are shared by all levels that it is applied to.

    Args:
        in_channels (int): Channels of the features.
        feat_channels (int): Channels of the hidden layers.
        out_channels (int, optional): Channels of the output; None leaves the output layer away
            (the refine head puts three of its own on one trunk).
        num_layers (int): Layers, the output one included. Defaults to 3.
        kernel_size (int): Kernel of every layer, odd. Defaults to 3.
        prior_prob (float, optional): Probability that the outputs shall start with, as a bias.
            Defaults to None: the bias starts at 0.
        unmasked_activations (bool): Leave the padding of hidden layers at what the LayerNorm's
            bias makes of it, as published implementations do, so that the next convolution
            sees it. Defaults to False.
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
                 unmasked_activations: bool = False,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(init_cfg=init_cfg)
        if kernel_size % 2 == 0:
            raise ValueError(f'ConvTower: kernel_size must be odd, got {kernel_size}')
        self.unmasked_activations = unmasked_activations
        widths = [in_channels] + [feat_channels] * (num_layers - 1)
        # the LayerNorm's bias follows: the convolution needs none
        self.convs = nn.ModuleList(
            MaskedConv1d(i, o, kernel_size, bias=False) for i, o in zip(widths, widths[1:]))
        self.norms = nn.ModuleList(ChannelLayerNorm(width) for width in widths[1:])
        self.out = None
        if out_channels is not None:
            self.out = output_conv(widths[-1], out_channels, kernel_size, prior_prob)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Predict.

        Args:
            x (Tensor): (B, C, T).
            mask (Tensor): (B, T) bool.

        Returns:
            Tensor: (B, out_channels or feat_channels, T), zero at padding but for hidden layers
            with ``unmasked_activations``.
        """
        for conv, norm in zip(self.convs, self.norms):
            x = norm(conv(x, mask)[0]).relu()
            if not self.unmasked_activations:
                x = x * mask[:, None]
        return x if self.out is None else self.out(x, mask)[0]


def output_conv(in_channels: int, out_channels: int, kernel_size: int,
                prior_prob: Optional[float] = None) -> MaskedConv1d:
    """A prediction layer whose bias starts at the logit of ``prior_prob``, or at 0.

    Args:
        in_channels (int): Channels of the features.
        out_channels (int): Channels of the output.
        kernel_size (int): Kernel, odd.
        prior_prob (float, optional): Probability to start with. Defaults to None.

    Returns:
        MaskedConv1d: The layer.
    """
    conv = MaskedConv1d(in_channels, out_channels, kernel_size)
    bias = 0. if prior_prob is None else math.log(prior_prob / (1 - prior_prob))
    nn.init.constant_(conv.conv.bias, bias)
    return conv
