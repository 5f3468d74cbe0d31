"""What the other rooms speak of: segments and the grid they lie on. No model, no file access."""
from .grid import FeatureGrid
from .merging import merge_windows
from .segments import aligned_segment_iou, clip_segments, segment_iou, segment_lengths
from .time_major import TimeMajor

__all__ = [
    'FeatureGrid', 'TimeMajor', 'aligned_segment_iou', 'clip_segments', 'merge_windows',
    'segment_iou', 'segment_lengths'
]
