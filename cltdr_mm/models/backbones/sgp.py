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

from ..layers import depthwise_conv, masked_mean
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
        drop_path (float): Probability of dropping a residual branch. Defaults to 0.0.
        variant (str): 'paper' or 'release', see :class:`SGP`. Defaults to 'paper'.
    """

    def __init__(self,
                 channels: int,
                 ffn_dims: int,
                 stride: int = 1,
                 window: int = 1,
                 k: float = 1.5,
                 init_std: Optional[float] = None,
                 drop_path: float = 0.0,
                 variant: str = 'paper') -> None:
        super().__init__(channels, ffn_dims, stride, drop_path=drop_path, variant=variant)
        self.psi = depthwise_conv(channels, window)
        self.fc = depthwise_conv(channels, 1)
        self.convw = depthwise_conv(channels, window)
        self.convkw = depthwise_conv(channels, widened_kernel(window, k))
        self.global_fc = depthwise_conv(channels, 1)
        init_depthwise([self.psi, self.fc, self.convw, self.convkw, self.global_fc], init_std)

    def mix(self, y: Tensor, mask: Tensor, lengths: Optional[list]) -> Tensor:
        """Combine the windows, see :meth:`MixerBlock.mix`."""
        mean = y.mean(dim=-1, keepdim=True) if self.release else masked_mean(y, mask)
        phi = F.relu(self.global_fc(mean))  # (B, D, 1)
        return self.fc(y) * phi + (self.convw(y) + self.convkw(y)) * self.psi(y) + y


@MODELS.register_module()
class SGP(PyramidBackbone):
    """TriDet's encoder.

    Variant 'release' differs as the published code does: mean, pooling and GroupNorm over padding
    too, the stem without DropPath and with window 1.

    Args:
        in_channels (int): Channels C of the input features.
        embed_dims (int): Width D of all levels, a multiple of 16. Defaults to 512.
        arch (Sequence[int]): See :class:`PyramidBackbone`. Defaults to (2, 2, 5).
        ffn_dims (int, optional): Hidden width of the feed-forward networks; None is 4 D.
            Defaults to None.
        window_size (int | Sequence[int]): Odd kernel w, for all levels or for each.
            Defaults to 1.
        k (float): Ratio of the wide kernel to w + 1. Defaults to 1.5.
        init_std (float, optional): Standard deviation of the depth-wise weights at the start
            (published name ``init_conv_vars``); None leaves PyTorch's default. Defaults to None.
        drop_path (float): Probability of dropping a residual branch. Defaults to 0.1.
        **kwargs: ``embed_kernel_size``, ``embed_norm``, ``use_abs_pe``, ``max_len``, ``variant``
            and ``init_cfg`` of :class:`PyramidBackbone`.

    Raises:
        ValueError: If an argument is not of that form.
    """

    def __init__(self,
                 in_channels: int,
                 embed_dims: int = 512,
                 arch: Sequence[int] = (2, 2, 5),
                 ffn_dims: Optional[int] = None,
                 window_size: Union[int, Sequence[int]] = 1,
                 k: float = 1.5,
                 init_std: Optional[float] = None,
                 drop_path: float = 0.1,
                 **kwargs) -> None:
        super().__init__(in_channels, embed_dims, arch, **kwargs)
        windows = self.per_level(window_size, 'window_size')

        def make(level: int, stride: int) -> SGPBlock:
            bare = self.release and stride == 1
            return SGPBlock(
                embed_dims,
                ffn_dims or 4 * embed_dims,
                stride,
                window=1 if bare else windows[level],
                k=k,
                init_std=init_std,
                drop_path=0.0 if bare else drop_path,
                variant='release' if self.release else 'paper')

        self.add_blocks(make)
