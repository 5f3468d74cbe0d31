"""Boundary distances as expectations over bins (TriDet, CVPR 2023, eq. 6-9)."""
import torch
from torch import Tensor

from ...structures import Layout


def boundary_windows(row: Tensor, layout: Layout,
                     num_bins: int) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Where the boundaries of points are sought.

    Args:
        row (Tensor): (N,) rows of the points.
        layout (Layout): Of the table.
        num_bins (int): Bins: a boundary is sought up to so many strides away.

    Returns:
        tuple: For the start rows (N, bins + 1), from far to near, and whether they are of the
        point's sequence, a bool of that shape; for the end the same, from near to far. A row that
        is not is named as the point's own.
    """
    away = torch.arange(num_bins + 1, device=row.device)
    step, length = (x.index_select(0, row)[:, None] for x in (layout.step, layout.length))
    row, back = row[:, None], away.flip(0)
    of_start, of_end = step >= back, step + away < length
    return ((torch.where(of_start, row - back, row), of_start),
            (torch.where(of_end, row + away, row), of_end))


def expected_distances(start_logits: Tensor, end_logits: Tensor, centers: Tensor) -> Tensor:
    """Mean distances of the distributions over bins.

    The start logits of the steps before a point plus the point's own centre offsets give a
    distribution over the distances ``B .. 0``, whose mean is the distance to the start; the end
    likewise over ``0 .. B``.

    Args:
        start_logits (Tensor): (N, B + 1), from far to near; 0 where there is no step.
        end_logits (Tensor): (N, B + 1), from near to far.
        centers (Tensor): (N, 2 * (B + 1)) centre offsets, those of the start first.

    Returns:
        Tensor: (N, 2) distances to start and end in strides of the point's level, float32.
    """
    of_start, of_end = centers.float().chunk(2, dim=1)
    away = torch.arange(start_logits.shape[1], device=centers.device, dtype=of_start.dtype)
    left = (start_logits.float() + of_start).softmax(-1) @ away.flip(0)
    right = (end_logits.float() + of_end).softmax(-1) @ away
    return torch.stack([left, right], dim=-1)
