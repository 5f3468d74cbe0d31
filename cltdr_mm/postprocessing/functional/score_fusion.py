"""Score fusion: class-agnostic proposals take their classes from a video-level classifier."""

import torch
from torch import Tensor

FUSIONS = ('product', 'geometric_mean')


def fuse_scores(segments: Tensor,
                scores: Tensor,
                class_scores: Tensor,
                topk: int = 2,
                fusion: str = 'product') -> tuple[Tensor, Tensor, Tensor]:
    """Give every proposal the likeliest classes of its video.

    Args:
        segments (Tensor): (M, 2).
        scores (Tensor): (M,) class-agnostic scores.
        class_scores (Tensor): (K,) scores of the video's classes, not negative.
        topk (int): Classes a video may have. Defaults to 2.
        fusion (str): ``'product'`` of the two scores, or its square root
            (``'geometric_mean'``). Both rank the same. Defaults to ``'product'``.

    Returns:
        tuple[Tensor, Tensor, Tensor]: segments (M * k, 2), scores (M * k,) and labels (M * k,)
        int64, sorted by score, with k the smaller of ``topk`` and K.

    Raises:
        ValueError: If ``topk`` or ``fusion`` is out of its range.
    """
    if topk < 1:
        raise ValueError(f'fuse_scores: topk must be positive, got {topk}')
    if fusion not in FUSIONS:
        raise ValueError(f'fuse_scores: fusion must be one of {FUSIONS}, got {fusion!r}')
    best = torch.argsort(class_scores, descending=True, stable=True)[:topk]
    fused = class_scores[best].to(scores)[:, None] * scores[None]  # (k, M)
    if fusion == 'geometric_mean':
        fused = fused.sqrt()
    labels = best.to(scores.device)[:, None].expand_as(fused).reshape(-1)
    segments = segments.repeat(len(best), 1)
    fused = fused.reshape(-1)
    order = torch.argsort(fused, descending=True, stable=True)
    return segments[order], fused[order], labels[order]
