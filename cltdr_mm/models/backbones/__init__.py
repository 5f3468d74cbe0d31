"""Encoders: a table of feature rows to a temporal feature pyramid."""
from .actionmamba import ActionMamba
from .causaltad import CausalTAD
from .conv import ConvPyramid
from .gmg import GMG
from .logo import LoGo
from .pyramid import PyramidBackbone
from .sgp import SGP
from .temporal_maxer import TemporalMaxer
from .transformer import ActionFormer

__all__ = [
    'GMG', 'SGP', 'ActionFormer', 'ActionMamba', 'CausalTAD', 'ConvPyramid', 'LoGo',
    'PyramidBackbone', 'TemporalMaxer'
]
