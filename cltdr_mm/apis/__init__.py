"""For those who use a model: files in; features, detections, pages, pictures and models out.

``running`` is for the command line of a run, and imported by that alone.
"""
from .features.video_features import VideoFeatureExtractor
from .inference.inferencer import TALInferencer

__all__ = ['TALInferencer', 'VideoFeatureExtractor']
