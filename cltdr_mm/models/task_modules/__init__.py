"""What a head needs besides its layers: points, assigners, decoding. Nothing here learns."""
from .action_pairs import ActionPairs, mean_segments, pair_actions
from .candidates import candidates_of, top_pairs
from .center_sampling import Assignment, CenterSamplingAssigner
from .normalizer import EMANormalizer, mean_over_ranks
from .points import Actions, Pairs, PyramidPoints, pyramid_points
from .ranges import DEFAULT_RANGES, checked_ranges, resized_ranges
from .sim_ota import SimOTAAssigner1D
from .targets import PointTargets, check_labels, gather_actions
from .trident_decoding import boundary_windows, expected_distances

__all__ = [
    'ActionPairs', 'Actions', 'Assignment', 'CenterSamplingAssigner', 'DEFAULT_RANGES',
    'EMANormalizer', 'Pairs', 'PointTargets', 'PyramidPoints', 'SimOTAAssigner1D',
    'boundary_windows', 'candidates_of', 'check_labels', 'checked_ranges', 'expected_distances',
    'gather_actions', 'mean_over_ranks', 'mean_segments', 'pair_actions', 'pyramid_points',
    'resized_ranges', 'top_pairs'
]
