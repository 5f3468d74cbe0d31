"""Varifocal loss (Zhang et al., CVPR 2021, eq. 2): the target of a positive is its IoU."""
from typing import Optional

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class TALVarifocalLoss(nn.Module):
    """Varifocal loss of each step and class, never summed here.

    That of a positive is the cross-entropy towards its target, weighted by that target; a negative
    one is weighted by ``alpha * prob ** gamma``. With 0/1 targets only the negatives are focal.

    Args:
        alpha (float): Weight of negatives. Defaults to 0.75.
        gamma (float): Exponent on the probability of negatives. Defaults to 2.0.
        positives_by_target (bool): Whether every target above 0 is a positive, whatever the head
            says: under label smoothing all are, in the published code. Defaults to False.
    """

    def __init__(self, alpha: float = 0.75, gamma: float = 2.0,
                 positives_by_target: bool = False) -> None:
        super().__init__()
        self.positives_by_target = positives_by_target
        self.alpha = alpha
        self.gamma = gamma

    def forward(self, logits: Tensor, targets: Tensor,
                positives: Optional[Tensor] = None) -> Tensor:
        """Compute the losses.

        Args:
            logits (Tensor): (..., K).
            targets (Tensor): (..., K) in [0, 1].
            positives (Tensor, optional): (..., K) bool, which are positive. By default
                those with a target above 0, the definition of the paper; under label smoothing
                that would be all of them, so that the heads say it.

        Returns:
            Tensor: (..., K) float32, also under autocast.
        """
        logits, targets = logits.float(), targets.float()
        if positives is None or self.positives_by_target:
            positives = targets > 0
        negative_weight = self.alpha * (logits.sigmoid() - targets).abs().pow(self.gamma)
        weight = torch.where(positives, targets, negative_weight)
        return weight * F.binary_cross_entropy_with_logits(logits, targets, reduction='none')
