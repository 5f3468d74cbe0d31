"""Metrics for MMEngine's Runner."""
from .tal_metric import TALMetric

__all__ = ['TALMetric']
