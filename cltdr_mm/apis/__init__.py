"""For those who use a model: files in; features, detections, pages, pictures and models out.

``running.command_line`` is for the console command, and imported by that alone.
"""
from .features.video_features import VideoFeatureExtractor
from .inference.inferencer import TALInferencer

__all__ = ['TALInferencer', 'VideoFeatureExtractor']
