"""Metrics for MMEngine's Runner."""
from .proposal_metric import ProposalMetric
from .tal_metric import TALMetric

__all__ = ['ProposalMetric', 'TALMetric']
