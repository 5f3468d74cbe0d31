"""Necks: from a pyramid to a pyramid of the same grids."""
from .fpn import FPN1D
from .identity import IdentityNeck

__all__ = ['FPN1D', 'IdentityNeck']
