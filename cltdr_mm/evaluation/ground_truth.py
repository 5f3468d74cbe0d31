"""Ground truth for the evaluation, through the datasets' own reader of annotation files."""
import hashlib
import math
from collections.abc import Sequence
from typing import Optional, Union

import numpy as np
from mmengine.fileio import get

from ..datasets.annotations import file_classes, load_annotations, read_annotation_file
from ..utils import TALDataError, report_problems
from .structures import GroundTruth

DUPLICATE_TOLERANCE = 1e-3  # seconds


def load_ground_truth(ann_file: str,
                      subset: Union[str, Sequence[str], None] = None,
                      classes: Optional[Sequence[str]] = None,
                      merge_duplicates: bool = True,
                      on_error: str = 'raise') -> GroundTruth:
    """Read the instances of one subset.

    Args:
        ann_file (str): Annotation JSON.
        subset (str or Sequence[str], optional): Name of the subset, or several names of which
            the first that the file has is taken, whatever the letter case. Defaults to None: all
            videos.
        classes (Sequence[str], optional): Class names in the order of the labels. Defaults to
            None: the file's ``classes``, else its labels by ``label_id`` where every annotation
            has a consistent one, else its labels by name.
        merge_duplicates (bool): Whether annotations of the same video and class within 1 ms of
            each other count once, as in the evaluators of the published methods. Defaults to
            True.
        on_error (str): ``'raise'``, or ``'skip'`` to log and leave out what cannot be used.

    Returns:
        GroundTruth: See there.

    Raises:
        TALDataError: If the file cannot be used or lacks the subset, naming the ones it has.
    """
    content = read_annotation_file(ann_file)
    name = None if subset is None else _resolve_subset(content['database'], ann_file, subset)
    label_ids = _label_ids(content['database'])
    if classes is None:
        classes = file_classes(content, ann_file)
    if classes is None:
        labels = {a['label'] for a in _raw_annotations(content['database'])}
        classes = (sorted(label_ids, key=label_ids.get) if label_ids else sorted(labels))
    classes = tuple(classes)
    # The evaluation takes segments as they are: whether they leave the video is for the dataset to
    # judge, and the frame rate is of no use here.
    videos, problems, _ = load_annotations(
        ann_file, classes, name, fps=1., duration_tolerance=math.inf, check_label_id=False,
        require_annotations=False)
    report_problems(problems, on_error, f'ground truth {ann_file}')
    index = {c: i for i, c in enumerate(classes)}
    segments, labels, owners, merged = [], [], [], 0
    for v, video in enumerate(videos):
        keep = _first_of_duplicates(video.segments, video.labels)
        if not merge_duplicates:
            keep[:] = True
        merged += int((~keep).sum())
        segments.append(video.segments[keep])
        labels.append(video.labels[keep])
        owners.append(np.full(int(keep.sum()), v, dtype=np.int64))
    return GroundTruth(
        classes=classes,
        video_names=tuple(v.video_name for v in videos),
        segments=np.concatenate(segments) if segments else np.zeros((0, 2)),
        labels=np.concatenate(labels) if labels else np.zeros(0, dtype=np.int64),
        videos=np.concatenate(owners) if owners else np.zeros(0, dtype=np.int64),
        durations=np.array([v.duration for v in videos], dtype=np.float64),
        label_ids={i: index[c] for c, i in label_ids.items() if c in index}
        or dict(enumerate(range(len(classes)))),
        ann_file=str(ann_file),
        subset='all' if name is None else name,
        sha256=hashlib.sha256(get(ann_file)).hexdigest(),
        merged=merged,
        unused=len(problems))


def _resolve_subset(database: dict, ann_file: str, subset: Union[str, Sequence[str]]) -> str:
    """The file's own spelling of the first subset it has."""
    names = [subset] if isinstance(subset, str) else list(subset)
    own = {}
    for entry in database.values():
        if isinstance(entry, dict) and isinstance(entry.get('subset'), str):
            own.setdefault(entry['subset'].lower(), entry['subset'])
    for name in names:
        if name.lower() in own:
            return own[name.lower()]
    raise TALDataError.of(
        'ground truth', ann_file, 'subset', f'no video of subset {" or ".join(map(repr, names))}; '
        f'the file has {sorted(own.values())}')


def _raw_annotations(database: dict) -> list[dict]:
    """Annotations that have a label, of all subsets, unchecked."""
    lists = [entry.get('annotations') for entry in database.values() if isinstance(entry, dict)]
    return [a for annotations in lists if isinstance(annotations, list) for a in annotations
            if isinstance(a, dict) and isinstance(a.get('label'), str)]


def _label_ids(database: dict) -> dict[str, int]:
    """``label_id`` of every label; empty unless all have one and they are one to one."""
    result: dict[str, int] = {}
    for annotation in _raw_annotations(database):
        label_id = annotation.get('label_id')
        if isinstance(label_id, bool) or not isinstance(label_id, int):
            return {}
        if result.setdefault(annotation['label'], label_id) != label_id:
            return {}
    return result if len(set(result.values())) == len(result) else {}


def _first_of_duplicates(segments: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(N,) bool, False where an earlier kept annotation is the same."""
    keep = np.ones(len(labels), dtype=bool)
    if len(labels) < 2:
        return keep
    close = (np.abs(segments[:, None] - segments[None]) <= DUPLICATE_TOLERANCE).all(axis=2)
    close &= labels[:, None] == labels[None]
    for i in np.flatnonzero(np.tril(close, -1).any(axis=1)):
        keep[i] = not (close[i, :i] & keep[:i]).any()
    return keep
