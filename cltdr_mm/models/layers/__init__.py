"""Layers on tables of rows (R, C): what they do over time stays within a sequence."""
from .attention import LocalSelfAttention, local_attention
from .conv import Conv, Downsample2x, NamedConv, Upsample2x, depthwise
from .convolution import dense_conv, depthwise_along, depthwise_conv
from .feed_forward import FeedForward
from .norm import ChannelLayerNorm, GroupNorm
from .pooling import max_pool
from .residual import ScaledDropPath

__all__ = [
    'ChannelLayerNorm', 'Conv', 'Downsample2x', 'FeedForward', 'GroupNorm', 'LocalSelfAttention',
    'NamedConv', 'ScaledDropPath', 'Upsample2x', 'dense_conv', 'depthwise',
    'depthwise_along', 'depthwise_conv',
    'local_attention', 'max_pool'
]
