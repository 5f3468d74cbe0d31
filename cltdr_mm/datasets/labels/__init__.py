"""Labels that people made, in tables and in the files of annotation tools, to our annotations."""
from .formats import FORMATS
from .reading import Labels, read_labels
from .rows import LabelRow, VideoFacts
from .saving import labels_to_csv, save_labels, summary_table
from .split import SUBSETS, split_videos
from .video_table import read_videos

__all__ = [
    'FORMATS', 'SUBSETS', 'LabelRow', 'Labels', 'VideoFacts', 'labels_to_csv', 'read_labels',
    'read_videos', 'save_labels', 'split_videos', 'summary_table'
]
