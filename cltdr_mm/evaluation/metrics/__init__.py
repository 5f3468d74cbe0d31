"""Metrics for MMEngine's Runner."""
from .action_metric import EPICActionMetric
from .proposal_metric import ProposalMetric
from .tal_metric import TALMetric
from .tem_curves import TEMCurves

__all__ = ['EPICActionMetric', 'ProposalMetric', 'TALMetric', 'TEMCurves']
