"""LoGo: local-global context encoder.

Source: LoGo (Li and Yang, STRL 2025), eq. 1-6. With y = LN(x):

    f_avg = ReLU(FC(mean_T y)),  f_max = ReLU(FC(max_T y))
    z = DWConv(y) * f_avg + f_max * FC(y) + y

shortcut, GroupNorm and feed-forward network as in :class:`MixerBlock`; then max-pooling to the next
level. Level 0 is the embedding itself: L levels have L - 1 blocks.
"""
from collections.abc import Sequence
from typing import Optional, Union

import torch.nn.functional as F
from mmaction.registry import MODELS
from torch import Tensor

from ...structures import Layout
from ..layers import depthwise
from .block import MixerBlock
from .pyramid import PyramidBackbone


class LoGoBlock(MixerBlock):
    """Scales local structure by the sequence's mean and the instant by its maximum.

    The paper does not say whether its FC layers mix channels; depth-wise ones are taken, as in the
    SGP block it derives from.

    Args:
        channels (int): Width D, a multiple of 16.
        ffn_dims (int): Hidden width of the feed-forward network.
        stride (int): 2 halves the grid last. Defaults to 1.
        kernel_size (int): Odd kernel of the local convolution. Defaults to 3.
        drop_path (float): Probability of dropping a residual branch. Defaults to 0.0.
    """

    def __init__(self,
                 channels: int,
                 ffn_dims: int,
                 stride: int = 1,
                 kernel_size: int = 3,
                 drop_path: float = 0.0) -> None:
        super().__init__(channels, ffn_dims, stride, pool_last=True, drop_path=drop_path)
        self.conv = depthwise(channels, kernel_size)
        self.fc = depthwise(channels, 1)
        self.fc_avg = depthwise(channels, 1)
        self.fc_max = depthwise(channels, 1)

    def mix(self, y: Tensor, layout: Layout) -> Tensor:
        """Combine local and global context, see :meth:`MixerBlock.mix`."""
        f_avg = F.relu(self.fc_avg(layout.mean(y)))  # (S, D)
        f_max = F.relu(self.fc_max(layout.max(y)))  # (S, D)
        return (self.conv(y, layout) * layout.expand(f_avg)
                + layout.expand(f_max) * self.fc(y) + y)


@MODELS.register_module()
class LoGo(PyramidBackbone):
    """Encoder of LoGo.

    Args:
        in_channels (int): Channels C of the input features.
        embed_dims (int): Width D of all levels, a multiple of 16. Defaults to 512.
        arch (Sequence[int]): See :class:`PyramidBackbone`. Defaults to (2, 0, 5).
        ffn_dims (int, optional): Hidden width of the feed-forward networks; None is 4 D.
            Defaults to None.
        kernel_size (int | Sequence[int]): Odd kernel of the local convolution, for all levels or
            for each. The paper does not give it. Defaults to 3.
        drop_path (float): Probability of dropping a residual branch. Defaults to 0.1.
        **kwargs: Of :class:`PyramidBackbone`.

    Raises:
        ValueError: If an argument is not of that form.
    """

    def __init__(self,
                 in_channels: int,
                 embed_dims: int = 512,
                 arch: Sequence[int] = (2, 0, 5),
                 ffn_dims: Optional[int] = None,
                 kernel_size: Union[int, Sequence[int]] = 3,
                 drop_path: float = 0.1,
                 **kwargs) -> None:
        super().__init__(in_channels, embed_dims, arch, **kwargs)
        kernels = self.per_level(kernel_size, 'kernel_size')
        self.add_blocks(lambda level, stride: LoGoBlock(
            embed_dims, ffn_dims or 4 * embed_dims, stride, kernel_size=kernels[level],
            drop_path=drop_path))
