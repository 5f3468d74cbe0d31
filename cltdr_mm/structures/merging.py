"""Puts the windows of a video together."""
from collections.abc import Callable, Sequence
from typing import Optional

from mmengine.structures import InstanceData

PostProcessor = Callable[[list[InstanceData], list[dict]], list[InstanceData]]


def merge_windows(windows: Sequence[InstanceData], meta: dict,
                  postprocessor: Optional[PostProcessor] = None) -> InstanceData:
    """Make one result of the windows of a video.

    Args:
        windows (Sequence[InstanceData]): At least one, in order: ``segments`` (M, 2) in seconds,
            ``scores`` (M,), ``labels`` (M,), which proposals do without.
        meta (dict): Of the video, for the post-processor: ``video_name``, ``duration``.
        postprocessor (Callable, optional): Such as :class:`.TALPostProcessor`; sees all windows
            at once. Defaults to None.

    Returns:
        InstanceData: By falling score; of equal scores the earlier window's first.
    """
    merged = InstanceData.cat(list(windows))
    if postprocessor is not None:
        merged, = postprocessor([merged], [meta])
    return merged[merged.scores.argsort(descending=True, stable=True)]
