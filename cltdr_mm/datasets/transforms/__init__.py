"""Pipeline steps from a feature file to what a localizer takes."""
from .crop import RandomCropFeature
from .formatting import PackTALInputs
from .loading import LoadTALFeature
from .proposals import LoadTALProposals
from .resize import ResizeFeature

__all__ = [
    'LoadTALFeature', 'LoadTALProposals', 'PackTALInputs', 'RandomCropFeature', 'ResizeFeature'
]
