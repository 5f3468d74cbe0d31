"""Building blocks for (B, C, T) sequences with a (B, T) validity mask."""
from .attention import LocalSelfAttention, global_attention, local_attention
from .conv import DepthwiseScale, MaskedConv1d, depthwise_conv, mask_steps
from .norm import ChannelLayerNorm, MaskedGroupNorm
from .pooling import downsample_mask, masked_max, masked_max_pool1d, masked_mean
from .scale import Scale, ScaledDropPath

__all__ = [
    'ChannelLayerNorm', 'DepthwiseScale', 'LocalSelfAttention', 'MaskedConv1d', 'MaskedGroupNorm',
    'Scale', 'ScaledDropPath', 'depthwise_conv', 'downsample_mask', 'global_attention',
    'local_attention', 'mask_steps', 'masked_max', 'masked_max_pool1d', 'masked_mean'
]
