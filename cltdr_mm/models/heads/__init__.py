"""Heads: what a pyramid's points predict, what that costs in training, what it yields."""
from .actionformer_head import ActionFormerHead
from .asl_head import ASLHead
from .clff_head import CLFFHead
from .cltdr_head import CLTDRHead
from .fine_boundaries import FineBoundaries
from .point_head import PointHead
from .point_training import PointTraining
from .quality_branch import QualityBranch
from .trident_head import TridentHead

__all__ = [
    'ASLHead', 'ActionFormerHead', 'CLFFHead', 'CLTDRHead', 'FineBoundaries', 'PointHead',
    'PointTraining', 'QualityBranch', 'TridentHead'
]
