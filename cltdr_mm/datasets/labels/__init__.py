"""Labels that people made, in tables and in the files of annotation tools, to our annotations."""
from .formats import FORMATS
from .reading import Labels, read_labels
from .rows import LabelRow, VideoFacts
from .video_table import read_videos

__all__ = ['FORMATS', 'LabelRow', 'Labels', 'VideoFacts', 'read_labels', 'read_videos']
