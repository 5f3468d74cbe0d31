"""Boundary distances as expectations over bins (TriDet, CVPR 2023, eq. 6-9)."""
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


def trident_distances(starts: Sequence[Tensor], ends: Sequence[Tensor],
                      centers: Sequence[Tensor], batch: Tensor, point: Tensor, level: Tensor,
                      label: Tensor) -> Tensor:
    """Decode the distances of chosen (point, class) pairs, and of no others.

    The start of step ``t`` is sought among the steps ``t - B .. t``: their start logits plus the
    step's own centre offsets give a distribution over the distances ``B .. 0``, whose mean is
    returned; the end likewise among ``t .. t + B``. Steps outside the level count as logit 0.
    Decoding all pairs instead costs time and memory in proportion to steps x classes x bins.

    Args:
        starts (Sequence[Tensor]): Per level (B, K, T_l) start logits.
        ends (Sequence[Tensor]): Per level (B, K, T_l) end logits.
        centers (Sequence[Tensor]): Per level (B, 2 * bins, T_l) centre offsets, those of the
            start first.
        batch (Tensor): (N,) int64 index of the video in the batch.
        point (Tensor): (N,) int64 index of the point over all levels.
        level (Tensor): (N,) int64 level of the point.
        label (Tensor): (N,) int64 class.

    Returns:
        Tensor: (N, 2) distances to start and end in strides of the point's level, float32.
    """
    bins = centers[0].shape[1] // 2
    reach = bins - 1
    # one row per video: between two levels a gap of `reach` zeros, which both can look into
    start_row = torch.cat([F.pad(x, (reach, 0)) for x in starts], dim=2)  # (B, K, T + L * reach)
    end_row = torch.cat([F.pad(x, (0, reach)) for x in ends], dim=2)
    center_row = torch.cat(list(centers), dim=2)  # (B, 2 * bins, T)

    window = torch.arange(bins, device=point.device)
    columns = (point + level * reach)[:, None] + window  # (N, bins)
    rows = batch[:, None], label[:, None]
    start_window = start_row[rows[0], rows[1], columns].float()  # (N, bins)
    end_window = end_row[rows[0], rows[1], columns].float()
    center = center_row[batch, :, point].float().unflatten(1, (2, bins))  # (N, 2, bins)

    distance = window.to(center.dtype)
    left = (start_window + center[:, 0]).softmax(-1) @ distance.flip(0)
    right = (end_window + center[:, 1]).softmax(-1) @ distance
    return torch.stack([left, right], dim=-1)
