"""Focal loss on independent sigmoid outputs (Lin et al., ICCV 2017, eq. 5)."""
from typing import Optional

import torch.nn.functional as F
from mmaction.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class TALFocalLoss(nn.Module):
    """Focal loss of each step and class, never summed here.

    The heads decide what to sum and by what to divide it; here each step and class is only weighed
    by how wrong it is.

    Args:
        gamma (float): Exponent on the error. Defaults to 2.0.
        alpha (float): Weight of positives, ``1 - alpha`` of negatives; a negative alpha turns
            the balance off. Defaults to 0.25.
    """

    def __init__(self, gamma: float = 2.0, alpha: float = 0.25) -> None:
        super().__init__()
        self.gamma = gamma
        self.alpha = alpha

    def forward(self, logits: Tensor, targets: Tensor,
                positives: Optional[Tensor] = None) -> Tensor:
        """Compute the losses.

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
        loss = F.binary_cross_entropy_with_logits(logits, targets, reduction='none')
        loss = loss * error.pow(self.gamma)
        if self.alpha >= 0:
            loss = loss * (self.alpha * targets + (1 - self.alpha) * (1 - targets))
        return loss
