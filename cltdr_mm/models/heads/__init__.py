"""Heads: what a pyramid's points predict, what that costs in training, what it yields.

- The methods', one file each: ``actionformer_head``, ``trident_head`` (TriDet), ``clff_head``
  (LoGo), ``cltdr_head``; ``asl_head`` stands around any of them.
- What they share: ``point_head`` (from config to candidates), its base ``point_training`` (targets
  and losses), ``point_loss`` (how losses are summed), ``outputs`` (towers that run where they are
  read).
- What they are made of: ``tower``; ``fusion`` and ``refine_head`` (CLTDR); ``asl_sensitivity`` and
  ``asl_zones`` (ASL).
- What may stand beside any of them: ``fine_boundaries``, ``quality_branch``.
"""
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
