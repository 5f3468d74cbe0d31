"""Encoders: a table of feature rows to a temporal feature pyramid."""
from .actionmamba import ActionMamba
from .conv import ConvPyramid
from .gmg import GMG
from .logo import LoGo
from .pyramid import PyramidBackbone
from .sgp import SGP
from .temporal_maxer import TemporalMaxer
from .transformer import ActionFormer

__all__ = [
    'GMG', 'SGP', 'ActionFormer', 'ActionMamba', 'ConvPyramid', 'LoGo', 'PyramidBackbone',
    'TemporalMaxer'
]
