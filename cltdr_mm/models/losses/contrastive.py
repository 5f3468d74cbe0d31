"""InfoNCE over labelled vectors, all positives inside the log (ASL, ICCV 2023)."""
from typing import Optional

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class InfoNCELoss(nn.Module):
    """Pulls vectors of one label together and pushes all others away.

    For an anchor i, the other vectors P of its label and the vectors N of other labels or none,
    with cosine similarities s divided by the temperature, the loss is
    ``-log(sum_P e^s(i,p) / (sum_P e^s(i,p) + sum_N e^s(i,n)))``, averaged over the anchors that
    have a P. It is L_in of Khosla et al. (*Supervised Contrastive Learning*, NeurIPS 2020, eq. 3)
    but for the number of P, a constant there.

    Args:
        temperature (float): Divides the similarities. Defaults to 0.07.

    Raises:
        ValueError: If the temperature is not positive.
    """

    def __init__(self, temperature: float = 0.07) -> None:
        super().__init__()
        if not temperature > 0:
            raise ValueError(f'InfoNCELoss: temperature must be positive, got {temperature}')
        self.temperature = temperature

    def forward(self, vectors: Tensor, labels: Tensor, others: Optional[Tensor] = None) -> Tensor:
        """Compute the loss.

        Args:
            vectors (Tensor): (N, C) anchors, each a positive of those with its label and a
                negative of the others; not normalised.
            labels (Tensor): (N,) int64.
            others (Tensor, optional): (M, C) vectors that are negatives of all anchors (for ASL
                the background). Defaults to None.

        Returns:
            Tensor: A scalar, float32 also under autocast, at least 0. It is 0, with gradients of
            0, where no two vectors share a label or nothing is negative.
        """
        with torch.autocast(vectors.device.type, enabled=False):
            anchors = F.normalize(vectors.float(), dim=1)
            every = anchors
            if others is not None:
                every = torch.cat([anchors, F.normalize(others.float(), dim=1)])
            similarity = anchors @ every.T / self.temperature  # (N, N + M)
            size = len(anchors)
            same = labels[:, None] == labels
            positive = torch.zeros_like(similarity, dtype=torch.bool)
            positive[:, :size] = same & ~torch.eye(size, dtype=torch.bool, device=labels.device)
            negative = torch.ones_like(positive)
            negative[:, :size] = ~same
            if not positive.any():
                return similarity.sum() * 0
            # not -inf: its logsumexp over nothing has no gradient
            floor = torch.finfo(similarity.dtype).min / 4
            friends, rivals = (similarity.masked_fill(~chosen, floor).logsumexp(dim=1)
                               for chosen in (positive, negative))  # (N,) each
            # -log(a / (a + b)) of a = e^friends, b = e^rivals
            return F.softplus(rivals - friends)[positive.any(dim=1)].mean()
