"""Ground floor, which every room may use: moved names. It knows no other room."""
from .moved import moved_class, refuse_moved

__all__ = ['moved_class', 'refuse_moved']
