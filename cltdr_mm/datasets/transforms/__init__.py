"""Pipeline steps from a feature file to what a localizer takes."""
from .activitynet import ActivityNetToTAL, TALToActivityNet
from .crop import RandomCropFeature
from .formatting import PackTALInputs
from .loading import LoadTALFeature
from .proposals import LoadTALProposals
from .resize import ResizeFeature

__all__ = [
    'ActivityNetToTAL', 'LoadTALFeature', 'LoadTALProposals', 'PackTALInputs', 'RandomCropFeature',
    'ResizeFeature', 'TALToActivityNet'
]
