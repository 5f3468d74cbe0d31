"""What is compared: detections and ground truth of many videos as flat arrays."""
from dataclasses import dataclass, field, replace

import numpy as np

IGNORED = -1  # in place of a class


@dataclass
class GroundTruth:
    """Instances of the videos of one subset.

    Args:
        classes (tuple[str, ...]): Class names.
        video_names (tuple[str, ...]): Videos of the subset, in the annotation file's order.
        segments (np.ndarray): (G, 2) float64, seconds.
        labels (np.ndarray): (G,) int64, positions in ``classes``.
        videos (np.ndarray): (G,) int64, positions in ``video_names``.
        durations (np.ndarray): (V,) float64, seconds; NaN where the file does not tell.
        label_ids (dict[int, int]): ``label_id`` of the file to position in ``classes``, or
            :data:`IGNORED`.
        ann_file (str): Where they come from.
        subset (str): Its name in the file.
        sha256 (str): Hash of the annotation file.
        merged (int): Annotations left out because they repeat another.
        unused (int): Annotations left out because they cannot be used (opt-in).
        ignored (dict[str, int]): Labels that are no class by the protocol, each with the number of
            annotations left out for it.
    """

    classes: tuple[str, ...]
    video_names: tuple[str, ...]
    segments: np.ndarray
    labels: np.ndarray
    videos: np.ndarray
    durations: np.ndarray
    label_ids: dict[int, int] = field(default_factory=dict)
    ann_file: str = ''
    subset: str = ''
    sha256: str = ''
    merged: int = 0
    unused: int = 0
    ignored: dict[str, int] = field(default_factory=dict)

    @property
    def present(self) -> np.ndarray:
        """np.ndarray: (K,) bool, classes that have an instance; only they are averaged over."""
        return np.bincount(self.labels, minlength=len(self.classes)) > 0

    def check_not_empty(self) -> None:
        """Raise ValueError when there is no instance to be found."""
        if len(self.labels) == 0:
            raise ValueError(f"{self.ann_file}: subset '{self.subset}' has no annotations to "
                             'evaluate on')


@dataclass
class Detections:
    """Scored segments of many videos, in the order they were given.

    The order matters: it decides between equal scores.

    Args:
        segments (np.ndarray): (D, 2) float64, seconds.
        scores (np.ndarray): (D,) float64.
        labels (np.ndarray): (D,) int64, positions in the ground truth's ``classes``.
        videos (np.ndarray): (D,) int64, positions in the ground truth's ``video_names``; larger
            ones are videos that are not part of the subset.
    """

    segments: np.ndarray
    scores: np.ndarray
    labels: np.ndarray
    videos: np.ndarray

    def __len__(self) -> int:
        return len(self.scores)

    @property
    def finite(self) -> np.ndarray:
        """np.ndarray: (D,) bool, those without NaN and infinity."""
        return np.isfinite(self.segments).all(axis=1) & np.isfinite(self.scores)

    def select(self, index: np.ndarray) -> 'Detections':
        """Those at ``index`` (positions or a mask), in that order."""
        return replace(
            self,
            segments=self.segments[index],
            scores=self.scores[index],
            labels=self.labels[index],
            videos=self.videos[index])
