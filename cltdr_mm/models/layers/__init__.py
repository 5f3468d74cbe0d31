"""Layers on tables of rows (R, C): what they do over time stays within a sequence."""
from ...utils import refuse_moved_name
from .attention import LocalSelfAttention, local_attention
from .conv import Conv, Downsample2x, NamedConv, Upsample2x, depthwise
from .convolution import dense_conv, depthwise_along, is_exported
from .feed_forward import FeedForward
from .fourier import RealDFT, complex_product
from .norm import ChannelLayerNorm, GroupNorm, set_norm_eps
from .pooling import max_pool
from .residual import ScaledDropPath
from .selective_scan import selective_scan
from .state_space import DBM, Linear, Mamba, ViM, reverse

__all__ = [
    'DBM', 'ChannelLayerNorm', 'Conv', 'Downsample2x', 'FeedForward', 'GroupNorm', 'Linear',
    'LocalSelfAttention', 'Mamba', 'NamedConv', 'RealDFT', 'ScaledDropPath', 'Upsample2x', 'ViM',
    'complex_product', 'dense_conv', 'depthwise', 'depthwise_along', 'is_exported',
    'local_attention', 'max_pool', 'reverse', 'selective_scan', 'set_norm_eps'
]

#: Layers of version 0.1.0 on (B, C, T) and a mask, and what does their work on rows.
MOVED = dict(
    MaskedConv1d='x = NamedConv(...)(x, layout), and layout.zero_gaps(x) before the next layer '
                 'that looks at neighbours',
    MaskedGroupNorm='GroupNorm', DepthwiseScale='depthwise(channels, 1)',
    depthwise_conv='depthwise', mask_steps='layout.zero_gaps', downsample_mask='layout.half',
    masked_max_pool1d='max_pool', masked_mean='layout.mean', masked_max='layout.max',
    global_attention='LocalSelfAttention', Scale='mmcv.cnn.Scale')


def __getattr__(name: str):
    refuse_moved_name(__name__, name, MOVED)
