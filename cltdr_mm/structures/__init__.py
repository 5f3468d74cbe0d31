"""What the other rooms speak of: segments and the grid they lie on. No model, no file access."""
from .grid import FeatureGrid
from .segments import aligned_segment_iou, clip_segments, segment_iou, segment_lengths

__all__ = [
    'FeatureGrid', 'aligned_segment_iou', 'clip_segments', 'segment_iou', 'segment_lengths'
]
