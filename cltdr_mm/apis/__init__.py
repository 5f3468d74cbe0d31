"""For those who use a model: features or a video in; segments, JSON and a picture out."""
from .inferencer import TALInferencer
from .video_features import VideoFeatureExtractor

__all__ = ['TALInferencer', 'VideoFeatureExtractor']
