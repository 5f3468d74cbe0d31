"""Fronts: from frames of videos to a row a step, what a pyramid is made of."""
from .clip_adapter import ClipAdapter
from .clip_front import ClipFront
from .vit_adapters import PlainAdapter, TIAdapter

__all__ = ['ClipAdapter', 'ClipFront', 'PlainAdapter', 'TIAdapter']
