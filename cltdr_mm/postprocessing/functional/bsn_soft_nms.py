"""MMAction2's soft-NMS of proposals, by the function of this room."""
import numpy as np

from .soft_nms import soft_nms


def bsn_soft_nms(proposals: np.ndarray, alpha: float, low_threshold: float, high_threshold: float,
                 top_k: int) -> np.ndarray:
    """Compute what ``mmaction.models.localizers.utils.soft_nms`` does, in less time.

    It computes in float64, MMAction2 in the type of ``proposals``.

    Args:
        proposals (np.ndarray): (M, 3 or more) start and end as fractions of the video first, score
            last.
        alpha (float): Width of the Gaussian.
        low_threshold (float): IoU above which scores fall beside a kept proposal of length 0.
        high_threshold (float): The same, of length 1; between both the limit is linear.
        top_k (int): One more than so many are kept, as there.

    Returns:
        np.ndarray: (N, 3) start, end and new score, in the order in which they are kept.

    Raises:
        ValueError: If a proposal holds NaN, or a score is negative.
    """
    proposals = proposals[proposals[:, -1].argsort()[::-1]]  # of equals the first of this order
    segments = proposals[:, :2].copy()
    # TCANet may turn one round: it overlaps nothing there, as one of length 0 does here
    segments[:, 1] = segments.max(axis=1)
    kept, scores = soft_nms(
        segments, proposals[:, -1], method='bsn', sigma=alpha, iou_threshold=low_threshold,
        high_threshold=high_threshold, min_score=0., max_num=max(top_k + 1, 0))
    return np.column_stack([proposals[kept, :2], scores])
