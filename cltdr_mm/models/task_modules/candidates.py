"""Which (point, class) pairs of a batch are worth decoding."""
import torch
from torch import Tensor

from ...structures import Layout
from .points import Pairs


def top_pairs(scores: Tensor, layout: Layout, num: int) -> tuple[Tensor, Pairs]:
    """The best (point, class) pairs of each level of each video.

    Args:
        scores (Tensor): (R, K).
        layout (Layout): Of its rows.
        num (int): Most pairs of one level of one video.

    Returns:
        tuple[Tensor, Pairs]: Scores (M,) and pairs, level after level.
    """
    classes = scores.shape[1]
    best, pairs, first = [], [], 0
    for block in layout.blocks(scores, valid_only=True):
        top, index = block.flatten(1).topk(min(num, block[0].numel()), dim=1)  # (b, M)
        starts = torch.tensor(layout.first[first:first + len(block)], device=scores.device)
        first += len(block)
        best.append(top.flatten())
        pairs.append((index + starts[:, None] * classes).flatten())
    pair = torch.cat(pairs)
    return torch.cat(best), Pairs(pair.div(classes, rounding_mode='floor'), pair % classes)
