"""What the other rooms speak of: segments, their grid, and the rows that features lie in."""
from .boundaries import boundary_proposals
from .grid import FeatureGrid
from .layout import Layout
from .merging import merge_windows
from .packed_rows import (
    PackedRows,
    pack,
    pack_padded,
    split_levels,
    stack_rows,
    unpack,
    valid_lengths,
)
from .row_numbers import GAP, RowNumbers
from .row_subset import RowSubset
from .segments import aligned_segment_iou, clip_segments, segment_iou, segment_lengths
from .time_major import TimeMajor

__all__ = [
    'FeatureGrid', 'GAP', 'Layout', 'PackedRows', 'RowNumbers', 'RowSubset', 'TimeMajor',
    'aligned_segment_iou', 'boundary_proposals', 'clip_segments', 'merge_windows', 'pack',
    'pack_padded', 'segment_iou', 'segment_lengths', 'split_levels', 'stack_rows', 'unpack',
    'valid_lengths'
]
