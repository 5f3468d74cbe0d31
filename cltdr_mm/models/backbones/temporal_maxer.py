"""TemporalMaxer: a pyramid of max-pooling and nothing else.

Source: TemporalMaxer (Tang et al., 2023), sec. 3.2.
"""
from collections.abc import Sequence

from mmaction.registry import MODELS
from torch import Tensor, nn

from ...structures import Layout
from ..layers import max_pool
from .pyramid import PyramidBackbone


class MaxPoolBlock(nn.Module):
    """Max-pooling of kernel 3, without parameters.

    Args:
        stride (int): Only 2: a stem block that pools at stride 1 is in no paper. Defaults to 2.

    Raises:
        ValueError: On another stride.
    """

    def __init__(self, stride: int = 2) -> None:
        super().__init__()
        if stride != 2:
            raise ValueError('TemporalMaxer has no stem blocks: arch must be (embedding '
                             'convolutions, 0, branch blocks)')

    def forward(self, x: Tensor, layout: Layout) -> tuple[Tensor, Layout]:
        """Pool (R, D) to (R', D), zero in gaps and at padding."""
        x, layout = max_pool(x, layout)
        return layout.zero_padding(x), layout


@MODELS.register_module()
class TemporalMaxer(PyramidBackbone):
    """TemporalMaxer's encoder.

    Args:
        in_channels (int): Channels C of the input features.
        embed_dims (int): Width D of all levels. Defaults to 512.
        arch (Sequence[int]): See :class:`PyramidBackbone`. Defaults to (2, 0, 5).
        **kwargs: Of :class:`PyramidBackbone`.
    """

    def __init__(self,
                 in_channels: int,
                 embed_dims: int = 512,
                 arch: Sequence[int] = (2, 0, 5),
                 **kwargs) -> None:
        super().__init__(in_channels, embed_dims, arch, **kwargs)
        self.add_blocks(lambda level, stride: MaxPoolBlock(stride))
