"""Which (point, class) pairs of a batch are worth decoding."""
import math

import torch
from mmengine.structures import InstanceData
from torch import Tensor

from ...structures import Layout
from .points import Pairs


def top_pairs(scores: Tensor, layout: Layout, num: int,
              score_thr: float = -math.inf) -> tuple[Tensor, Pairs]:
    """The best (point, class) pairs of each level of each video.

    Args:
        scores (Tensor): (R, K).
        layout (Layout): Of its rows.
        num (int): Most pairs of one level of one video.
        score_thr (float): Pairs that score no more than this are left out. Defaults to none.

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
    score, pair = torch.cat(best), torch.cat(pairs)
    # said so that NaN stays, for the post-processor to name its video: dropped, a model that
    # diverged would find nothing and nobody would know why
    keep = ~(score <= score_thr)
    score, pair = score[keep], pair[keep]
    return score, Pairs(pair.div(classes, rounding_mode='floor'), pair % classes)


def candidates_of(scores: Tensor, pairs: Pairs, segments: Tensor, layout: Layout,
                  min_length: float, num_videos: int) -> list[InstanceData]:
    """Chosen pairs as candidates of their videos.

    Args:
        scores (Tensor): (N,).
        pairs (Pairs): N pairs.
        segments (Tensor): (N, 2) in grid steps.
        layout (Layout): Of the pairs' rows.
        min_length (float): Segments that are no longer than this, in grid steps, are left out.
        num_videos (int): Videos of the batch.

    Returns:
        list[InstanceData]: Per video ``segments``, ``scores`` and ``labels``.
    """
    too_short = segments[:, 1] - segments[:, 0] <= min_length
    video = layout.video[pairs.row].masked_fill(too_short, -1)
    chosen = [video == index for index in range(num_videos)]
    return [InstanceData(segments=segments[keep], scores=scores[keep], labels=pairs.label[keep])
            for keep in chosen]
