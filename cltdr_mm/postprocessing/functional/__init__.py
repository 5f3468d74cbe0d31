"""What the parts of this room compute: torch tensors in and out, one function a file."""
from .bsn_soft_nms import bsn_soft_nms
from .checks import check_candidates
from .hard_nms import hard_nms
from .score_fusion import fuse_scores
from .soft_nms import soft_nms
from .voting import segment_voting

__all__ = [
    'bsn_soft_nms', 'check_candidates', 'fuse_scores', 'hard_nms', 'segment_voting', 'soft_nms'
]
