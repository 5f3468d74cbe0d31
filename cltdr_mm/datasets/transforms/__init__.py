"""Pipeline steps from a feature file to what a localizer takes."""
from .crop import RandomCropFeature
from .formatting import PackTALInputs
from .loading import LoadTALFeature
from .resize import ResizeFeature

__all__ = ['LoadTALFeature', 'PackTALInputs', 'RandomCropFeature', 'ResizeFeature']
