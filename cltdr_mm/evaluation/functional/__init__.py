"""Measures: arrays in, arrays out."""
from .average_precision import average_precision, interpolated_ap
from .fingerprint import fingerprint, fingerprint_line
from .matching import match, pair_iou, ranking
from .recall import average_recall, recall_at_kx

__all__ = [
    'average_precision', 'average_recall', 'fingerprint', 'fingerprint_line', 'interpolated_ap',
    'match', 'pair_iou', 'ranking', 'recall_at_kx'
]
