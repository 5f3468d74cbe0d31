"""What a head needs besides its layers: points, assigners, decoding. Nothing here learns."""
from .center_sampling import Assignment, CenterSamplingAssigner
from .normalizer import EMANormalizer, mean_over_ranks
from .points import PyramidPoints, pyramid_points
from .sim_ota import SimOTAAssigner1D
from .trident_decoding import trident_distances

__all__ = [
    'Assignment', 'CenterSamplingAssigner', 'EMANormalizer', 'PyramidPoints', 'SimOTAAssigner1D',
    'mean_over_ranks', 'pyramid_points', 'trident_distances'
]
