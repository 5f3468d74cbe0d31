"""Which (point, class) pairs of a batch are worth decoding."""
from collections.abc import Sequence

import torch
from torch import Tensor


def top_pairs(cls_logits: Sequence[Tensor], masks: Sequence[Tensor],
              num: int) -> tuple[Tensor, Tensor, Tensor]:
    """The best (point, class) pairs of each level, for all videos at once.

    Args:
        cls_logits (Sequence[Tensor]): Per level (B, K, T_l).
        masks (Sequence[Tensor]): Per level (B, T_l) bool; padding scores 0.
        num (int): Most pairs of one level.

    Returns:
        tuple[Tensor, Tensor, Tensor]: Scores, points over all levels and labels, each (B, M).
    """
    num_classes = cls_logits[0].shape[1]
    scores, pairs, first = [], [], 0
    for logits, mask in zip(cls_logits, masks):
        score = logits.float().sigmoid() * mask[:, None]  # (B, K, T_l)
        score = score.transpose(1, 2).flatten(1)  # (B, T_l * K)
        top, pair = score.topk(min(num, score.shape[1]), dim=1)
        scores.append(top)
        pairs.append(pair + first * num_classes)
        first += mask.shape[1]
    pair = torch.cat(pairs, dim=1)
    return (torch.cat(scores, dim=1), pair.div(num_classes, rounding_mode='floor'),
            pair % num_classes)
