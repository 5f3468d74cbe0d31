"""Targets of a batch: the positive (point, class) pairs of all its videos."""
from dataclasses import dataclass
from typing import Optional

import torch
from torch import Tensor

from .points import Actions, Pairs, PyramidPoints


@dataclass
class PointTargets:
    """What a batch's points shall predict.

    Attributes:
        points (PyramidPoints): The points.
        pairs (Pairs): The N positive (point, class) pairs, by row, then by class.
        distance (Tensor): (N, 2) to start and end, in strides.
        num_points (Tensor): Number of points with at least one class, a scalar.
        actions (Actions, optional): The batch's actions, for a quality branch.
        others (Pairs, optional): Other points that it learns from.
    """

    points: PyramidPoints
    pairs: Pairs
    distance: Tensor
    num_points: Tensor
    actions: Optional[Actions] = None
    others: Optional[Pairs] = None

    @property
    def first_of_row(self) -> Tensor:
        """(N,) bool, whether a pair is the first of its point."""
        row = self.pairs.row
        return row.diff(prepend=row.new_full((1, ), -1)) > 0


def gather_actions(data_samples: list, num_classes: int, device: torch.device) -> Actions:
    """The actions of all videos of a batch.

    Args:
        data_samples (list): B data samples with ``gt_instances``.
        num_classes (int): Classes K.
        device (torch.device): Where the result shall lie.

    Returns:
        Actions: G actions.

    Raises:
        ValueError: If a label is no class; names the video.
    """
    segments = [sample.gt_instances.segments for sample in data_samples]
    labels = [sample.gt_instances.labels for sample in data_samples]
    for index, (label, sample) in enumerate(zip(labels, data_samples)):
        # on a GPU the data preprocessor has looked before the transfer: looking here would wait
        if label.device.type == 'cpu':
            check_labels(label, num_classes, sample.metainfo.get('video_name', index))
    counts = torch.tensor([len(label) for label in labels])
    video = torch.arange(len(counts)).repeat_interleave(counts)
    return Actions(torch.cat(segments).to(device, torch.float32), torch.cat(labels).to(device),
                   video.to(device), num_classes)


def check_labels(labels: Tensor, num_classes: int, video) -> None:
    """Raise ValueError, naming the video, if a label (N,) is not from 0 to ``num_classes - 1``."""
    if labels.numel() and not 0 <= int(labels.min()) <= int(labels.max()) < num_classes:
        raise ValueError(f'video {video} has labels {sorted(set(labels.tolist()))}, but '
                         f'num_classes is {num_classes}')
