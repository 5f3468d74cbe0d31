"""InfoNCE over labelled vectors (van den Oord et al., 2018, eq. 4; ASL, ICCV 2023)."""
from typing import Optional

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class InfoNCELoss(nn.Module):
    """Pulls vectors of one label together and pushes all others away.

    For an anchor i, another vector p of its label and the vectors N of other labels or none, with
    cosine similarities s divided by the temperature, the loss is
    ``-log(e^s(i,p) / (e^s(i,p) + sum_N e^s(i,n)))``: the other vectors of the anchor's label do
    not compete with p. Losses are averaged over the p of an anchor, then over the anchors that
    have any.

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
            positive = same & ~torch.eye(size, dtype=torch.bool, device=labels.device)
            negative = torch.ones_like(similarity, dtype=torch.bool)
            negative[:, :size] = ~same
            if not positive.any():
                return similarity.sum() * 0
            # not -inf: its logsumexp over nothing has no gradient
            floor = torch.finfo(similarity.dtype).min / 4
            rivals = similarity.masked_fill(~negative, floor).logsumexp(dim=1, keepdim=True)
            losses = F.softplus(rivals - similarity[:, :size]) * positive
            count = positive.sum(dim=1)
            return (losses.sum(dim=1) / count.clamp(min=1)).sum() / (count > 0).sum()
