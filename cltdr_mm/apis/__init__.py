"""For those who use a model: features or a video in; segments, JSON and a picture out.

``command_line`` is for tools/train.py and tools/test.py, and imported by these alone.
"""
from .inferencer import TALInferencer
from .video_features import VideoFeatureExtractor

__all__ = ['TALInferencer', 'VideoFeatureExtractor']
