"""Measures: arrays in, arrays out."""
from .average_precision import average_precision, interpolated_ap
from .best_f1 import Cut, best_cut, best_f1
from .diagnosis import (
    ERROR_TYPES,
    average_error_impact,
    diagnose,
    error_impact,
    false_positive_profile,
)
from .fingerprint import fingerprint, fingerprint_line
from .matching import match, pair_iou, ranking
from .recall import RECALL_AVERAGES, average_recall, recall_at_kx
from .score_tiou import STRONG, ScoreTIoU, score_tiou, score_tiou_numbers
from .sensitivity import NO_COVERAGE, SIZES, instance_sizes, sensitivity, size_ranges

__all__ = [
    'Cut', 'ERROR_TYPES', 'NO_COVERAGE', 'RECALL_AVERAGES', 'SIZES', 'STRONG', 'ScoreTIoU',
    'average_error_impact', 'average_precision', 'average_recall', 'best_cut', 'best_f1',
    'diagnose', 'error_impact',
    'false_positive_profile', 'fingerprint', 'fingerprint_line', 'instance_sizes',
    'interpolated_ap', 'match', 'pair_iou', 'ranking', 'recall_at_kx', 'score_tiou',
    'score_tiou_numbers', 'sensitivity', 'size_ranges'
]
