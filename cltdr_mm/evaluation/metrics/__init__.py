"""Metrics for MMEngine's Runner."""
from .proposal_metric import ProposalMetric
from .tal_metric import TALMetric
from .tem_curves import TEMCurves

__all__ = ['ProposalMetric', 'TALMetric', 'TEMCurves']
