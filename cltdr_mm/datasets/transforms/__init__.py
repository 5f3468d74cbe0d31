"""Pipeline steps from a feature file, or a video, to what a localizer takes."""
from .activitynet import ActivityNetToTAL, TALToActivityNet
from .crop import RandomCropFeature
from .formatting import PackTALInputs
from .frames import ColorJitterFrames, LoadTALFrames, RandomCropFrames, SampleTALFrames
from .loading import LoadTALFeature
from .proposals import LoadTALProposals
from .resize import ResizeFeature

__all__ = [
    'ActivityNetToTAL', 'ColorJitterFrames', 'LoadTALFeature', 'LoadTALFrames',
    'LoadTALProposals', 'PackTALInputs', 'RandomCropFeature', 'RandomCropFrames', 'ResizeFeature',
    'SampleTALFrames', 'TALToActivityNet'
]
