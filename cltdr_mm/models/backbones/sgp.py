"""SGP: the scalable-granularity perception encoder of TriDet.

Source: TriDet (Shi et al., CVPR 2023), eq. 1-4. With y = LN(x):

    phi = ReLU(FC(mean_T y)),  psi = Conv_w(y)
    z = FC(y) * phi + psi * (Conv_w(y) + Conv_kw(y)) + y

all convolutions depth-wise; shortcut, GroupNorm and feed-forward network as in :class:`MixerBlock`.
Parameters carry the names of the published code.
"""
from collections.abc import Sequence
from typing import Optional, Union

import torch.nn.functional as F
from mmaction.registry import MODELS
from torch import Tensor

from ...structures import Layout
from ..layers import depthwise
from .block import MixerBlock, init_depthwise
from .pyramid import PyramidBackbone


def widened_kernel(window: int, k: float) -> int:
    """Kernel of the wide convolution: ``(window + 1) * k`` rounded, the next odd number if even.

    Args:
        window (int): Kernel of the narrow convolution.
        k (float): Ratio between the two.

    Returns:
        int: Odd.
    """
    size = round((window + 1) * k)
    return size + 1 if size % 2 == 0 else size


class SGPBlock(MixerBlock):
    """Mixes a window, a wider window, and the instant scaled by the sequence's mean.

    Args:
        channels (int): Width D, a multiple of 16.
        ffn_dims (int): Hidden width of the feed-forward network.
        stride (int): 2 halves the grid first. Defaults to 1.
        window (int): Odd kernel w. Defaults to 1.
        k (float): The wide kernel is :func:`widened_kernel` of w and k. Defaults to 1.5.
        init_std (float, optional): Standard deviation of the depth-wise weights at the start; None
            leaves PyTorch's default. Defaults to None.
        **kwargs: ``drop_path`` and ``scale_undropped`` of :class:`MixerBlock`.
    """

    def __init__(self,
                 channels: int,
                 ffn_dims: int,
                 stride: int = 1,
                 window: int = 1,
                 k: float = 1.5,
                 init_std: Optional[float] = None,
                 **kwargs) -> None:
        super().__init__(channels, ffn_dims, stride, **kwargs)
        self.psi = depthwise(channels, window)
        self.fc = depthwise(channels, 1)
        self.convw = depthwise(channels, window)
        self.convkw = depthwise(channels, widened_kernel(window, k))
        self.global_fc = depthwise(channels, 1)
        init_depthwise([self.psi, self.fc, self.convw, self.convkw, self.global_fc], init_std)

    def mix(self, y: Tensor, layout: Layout) -> Tensor:
        """Combine the windows, see :meth:`MixerBlock.mix`."""
        phi = F.relu(self.global_fc(layout.mean(y)))  # (S, D)
        windows = (self.convw(y, layout) + self.convkw(y, layout)) * self.psi(y, layout)  # (R, D)
        return self.fc(y) * layout.expand(phi) + windows + y


@MODELS.register_module()
class SGP(PyramidBackbone):
    """TriDet's encoder.

    Args:
        in_channels (int): Channels C of the input features.
        embed_dims (int): Width D of all levels, a multiple of 16. Defaults to 512.
        ffn_dims (int, optional): Hidden width of the feed-forward networks; None is 4 D.
            Defaults to None.
        window_size (int | Sequence[int]): Odd kernel w, for all levels or for each.
            Defaults to 1.
        stem_window_size (int, optional): The same in stem blocks; the published code has 1.
            Defaults to None: that of the finest level.
        k (float): Ratio of the wide kernel to w + 1. Defaults to 1.5.
        init_std (float, optional): Standard deviation of the depth-wise weights at the start
            (published name ``init_conv_vars``); None leaves PyTorch's default. Defaults to None.
        drop_path (float): Probability of dropping a residual branch. Defaults to 0.1.
        stem_drop_path (float, optional): The same in stem blocks; the published code has 0.
            Defaults to None: ``drop_path``.
        scale_undropped (bool): Whether branches that are never dropped have learned factors; the
            published code has none there. Defaults to True.
        **kwargs: Of :class:`PyramidBackbone`.

    Raises:
        ValueError: If an argument is not of that form.
    """

    def __init__(self,
                 in_channels: int,
                 embed_dims: int = 512,
                 ffn_dims: Optional[int] = None,
                 window_size: Union[int, Sequence[int]] = 1,
                 stem_window_size: Optional[int] = None,
                 k: float = 1.5,
                 init_std: Optional[float] = None,
                 drop_path: float = 0.1,
                 stem_drop_path: Optional[float] = None,
                 scale_undropped: bool = True,
                 **kwargs) -> None:
        super().__init__(in_channels, embed_dims, **kwargs)
        windows = self.per_level(window_size, 'window_size')
        stem = dict(window=stem_window_size or windows[0],
                    drop_path=drop_path if stem_drop_path is None else stem_drop_path)
        self.add_blocks(lambda level, stride: SGPBlock(
            embed_dims, ffn_dims or 4 * embed_dims, stride,
            **(stem if stride == 1 else dict(window=windows[level], drop_path=drop_path)),
            k=k, init_std=init_std, scale_undropped=scale_undropped))
