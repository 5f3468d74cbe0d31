"""Focal loss on independent sigmoid outputs (Lin et al., ICCV 2017, eq. 5)."""
from typing import Optional

import torch.nn.functional as F
from mmaction.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class TALFocalLoss(nn.Module):
    """Focal loss, one term per step and class, never summed here.

    The heads decide what to sum and by what to divide it; the loss only weighs each term by
    how wrong it is.

    Args:
        gamma (float): Exponent on the error of a term. Defaults to 2.0.
        alpha (float): Weight of positive terms, ``1 - alpha`` of negative ones; negative turns
            the balance off. Defaults to 0.25.
    """

    def __init__(self, gamma: float = 2.0, alpha: float = 0.25) -> None:
        super().__init__()
        self.gamma = gamma
        self.alpha = alpha

    def forward(self, logits: Tensor, targets: Tensor,
                positives: Optional[Tensor] = None) -> Tensor:
        """Compute the terms.

        Args:
            logits (Tensor): (..., K).
            targets (Tensor): (..., K) in [0, 1]; between the two with label smoothing.
            positives (Tensor, optional): Not looked at: here for the signature that all losses
                of classification share. Defaults to None.

        Returns:
            Tensor: (..., K) float32, also under autocast.
        """
        logits, targets = logits.float(), targets.float()
        prob = logits.sigmoid()
        # the probability that the target gives to what the model says is false
        error = prob * (1 - targets) + (1 - prob) * targets
        terms = F.binary_cross_entropy_with_logits(logits, targets, reduction='none')
        terms = terms * error.pow(self.gamma)
        if self.alpha >= 0:
            terms = terms * (self.alpha * targets + (1 - self.alpha) * (1 - targets))
        return terms
