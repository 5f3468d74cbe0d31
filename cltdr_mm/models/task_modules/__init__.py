"""What a head needs besides its layers: points, assigners, decoding. Nothing here learns."""
from .candidates import top_pairs
from .center_sampling import Assignment, CenterSamplingAssigner
from .normalizer import EMANormalizer, mean_over_ranks
from .points import PyramidPoints, pyramid_points
from .sim_ota import SimOTAAssigner1D
from .targets import PointTargets
from .trident_decoding import trident_distances

__all__ = [
    'Assignment', 'CenterSamplingAssigner', 'EMANormalizer', 'PointTargets', 'PyramidPoints',
    'SimOTAAssigner1D', 'mean_over_ranks', 'pyramid_points', 'top_pairs', 'trident_distances'
]
