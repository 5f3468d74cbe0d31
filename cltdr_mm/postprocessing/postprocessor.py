"""Post-processing of candidate segments: NMS, voting, clipping, score fusion."""
from collections.abc import Sequence
from typing import Optional, Union

import torch
from mmaction.registry import TASK_UTILS
from mmengine.structures import InstanceData

from ..structures import clip_segments
from .functional import check_candidates

Part = Optional[Union[dict, object]]


@TASK_UTILS.register_module()
class TALPostProcessor:
    """From a model's candidates to the detections of each video.

    For every video on its own: NMS over all candidates, voting, clipping to the video, then the
    classes and scores of a video-level classifier. NMS and voting see segments as they were
    predicted, also where they leave the video, as in the published code. Candidates without labels
    are proposals: they count as one class, and stay without labels unless ``fusion`` brings some.

    Args:
        nms (dict, optional): Config of :class:`.SoftNMS` or :class:`.HardNMS`. Defaults to
            None: candidates of at least ``min_score`` stay as they are.
        voting (dict, optional): Config of :class:`.SegmentVoting`. Defaults to None.
        fusion (dict, optional): Config of :class:`.ExternalScores`. Defaults to None.
        max_per_video (int): Largest number of segments kept by NMS, per video; score fusion
            makes ``topk`` detections of each. Negative: no limit. Defaults to 2000.
        min_score (float): Candidates whose score is or falls below are dropped. Defaults to
            0.001.

    Raises:
        ValueError: If voting is wanted without NMS.
    """

    def __init__(self,
                 nms: Part = None,
                 voting: Part = None,
                 fusion: Part = None,
                 max_per_video: int = 2000,
                 min_score: float = 0.001):
        if voting is not None and nms is None:
            raise ValueError('TALPostProcessor: voting needs nms: it moves what NMS left')
        self.nms, self.voting, self.fusion = (
            TASK_UTILS.build(part) if isinstance(part, dict) else part
            for part in (nms, voting, fusion))
        self.max_per_video = max_per_video
        self.min_score = min_score

    def set_classes(self, classes: Optional[Sequence[str]]) -> None:
        """Say the data set's class names to ``fusion``, if there is one that asks for them.

        Args:
            classes (Sequence[str], optional): In the order of the labels.
        """
        if hasattr(self.fusion, 'set_classes'):
            self.fusion.set_classes(classes)

    def check_videos(self, video_names: Sequence[str]) -> None:
        """Raise TALDataError, before a run, if the file of ``fusion`` lacks some of the videos."""
        if hasattr(self.fusion, 'check_videos'):
            self.fusion.check_videos(video_names)

    def __call__(self, candidates: list[InstanceData], metas: list[dict]) -> list[InstanceData]:
        """Process a batch of videos.

        Args:
            candidates (list[InstanceData]): One a video: ``segments`` (M, 2) in seconds, not
                clipped, ``scores`` (M,) and ``labels`` (M,), which proposals do without.
            metas (list[dict]): One a video. ``duration`` in seconds: where to clip, left out
                when absent; ``video_name``: needed by ``fusion``, and named in errors.

        Returns:
            list[InstanceData]: One a video, on the device of its candidates: ``segments`` (N, 2)
            in seconds, ``scores`` (N,) and ``labels`` (N,) int64, sorted by score; empty where
            nothing is left; proposals have no ``labels``.

        Raises:
            ValueError: If the lists differ in length, or candidates hold NaN.
        """
        if len(candidates) != len(metas):
            raise ValueError(f'TALPostProcessor: {len(candidates)} sets of candidates for '
                             f'{len(metas)} videos')
        if self.fusion is not None:
            self.check_videos([meta['video_name'] for meta in metas])
        return [self.process_video(c, meta) for c, meta in zip(candidates, metas)]

    @torch.no_grad()
    def process_video(self, candidates: InstanceData, meta: dict) -> InstanceData:
        """Process one video; see :meth:`__call__`."""
        segments, scores, labels = check_candidates(
            candidates.segments, candidates.scores, candidates.get('labels'),
            f"candidates of video '{meta.get('video_name', '?')}'")
        if self.nms is None:
            kept = (scores >= self.min_score).nonzero().squeeze(1)
            kept = kept[torch.argsort(scores[kept], descending=True, stable=True)]
            kept = kept if self.max_per_video < 0 else kept[:self.max_per_video]
            kept_scores = scores[kept]
        else:
            kept, kept_scores = self.nms(segments, scores, labels, self.min_score,
                                         self.max_per_video)
        kept_segments, kept_labels = segments[kept], None if labels is None else labels[kept]
        if self.voting is not None:
            kept_segments = self.voting(kept_segments, segments, scores, kept_labels, labels)
        if meta.get('duration') is not None:
            kept_segments = clip_segments(kept_segments, 0., float(meta['duration']))
        if self.fusion is not None:
            kept_segments, kept_scores, kept_labels = self.fusion(kept_segments, kept_scores,
                                                                  meta['video_name'])
        result = InstanceData(segments=kept_segments, scores=kept_scores)
        if kept_labels is not None:
            result.labels = kept_labels
        return result
