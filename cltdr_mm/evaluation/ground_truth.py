"""Ground truth for the evaluation, through the datasets' own reader of annotation files."""
import hashlib
from collections import Counter
from collections.abc import Sequence
from itertools import product
from typing import Optional, Union

import numpy as np
from mmengine.fileio import get

from ..datasets.annotations import file_classes, load_annotations, read_annotation_file
from ..utils import TALDataError, report_problems
from .protocols import PROTOCOLS, Protocol
from .structures import IGNORED, GroundTruth

DUPLICATE_TOLERANCE = 1e-3  # seconds
_TITLE = 'ground truth'


def load_ground_truth(ann_file: str,
                      subset: Union[str, Sequence[str], None] = None,
                      classes: Optional[Sequence[str]] = None,
                      merge_duplicates: Optional[bool] = None,
                      on_error: str = 'raise',
                      protocol: Protocol = PROTOCOLS['custom']) -> GroundTruth:
    """Read the instances of one subset.

    Durations may be missing, and numbers may be in quotes, as in some published files.

    Args:
        ann_file (str): Annotation JSON.
        subset (str or Sequence[str], optional): Name of the subset, or several names of which
            the first that the file has is taken, whatever the letter case. Defaults to None: all
            videos.
        classes (Sequence[str], optional): Class names in the order of the labels. Defaults to
            None: the file's ``classes``, else those of the protocol, else (also where the file
            has no label of the protocol's, being other data) the file's labels, by ``label_id``
            where every annotation has a consistent one, else by name.
        merge_duplicates (bool, optional): Whether annotations of the same video and class within
            1 ms of each other count once, as in the evaluators of the published methods. Defaults
            to None: what the protocol says.
        on_error (str): ``'raise'``, or ``'skip'`` to log and leave out what cannot be used.
        protocol (Protocol): What is a class, what is ignored, and whether annotations without
            length count. Defaults to ``'custom'``: all labels, none, no.

    Returns:
        GroundTruth: See there.

    Raises:
        TALDataError: If the file cannot be used, lacks the subset, naming the ones it has, or has
            labels that are no class, naming them.
    """
    content = read_annotation_file(ann_file)
    database = content['database']
    name = None if subset is None else _resolve_subset(database, ann_file, subset)
    label_ids = _label_ids(database, protocol.ignored)
    if classes is None:
        listed = _find_classes(content, ann_file, name, protocol, label_ids)
        classes = [c for c in listed if c not in protocol.ignored]
    else:
        listed = classes
    classes = tuple(classes)
    if merge_duplicates is None:
        merge_duplicates = protocol.merge_duplicates
    videos, problems, _ = load_annotations(
        ann_file, classes, name, for_evaluation=True, ignored_labels=protocol.ignored,
        allow_empty=protocol.count_empty)
    report_problems(problems, on_error, f'{_TITLE} {ann_file}')
    segments, labels, owners, merged = [], [], [], 0
    for v, video in enumerate(videos):
        keep = np.ones(len(video.labels), dtype=bool)
        if merge_duplicates:
            keep = _first_of_duplicates(video.segments, video.labels)
        merged += int((~keep).sum())
        segments.append(video.segments[keep])
        labels.append(video.labels[keep])
        owners.append(np.full(int(keep.sum()), v, dtype=np.int64))
    ignored = sum((Counter(video.ignored) for video in videos), Counter())
    return GroundTruth(
        classes=classes,
        video_names=tuple(v.video_name for v in videos),
        segments=np.concatenate(segments) if segments else np.zeros((0, 2)),
        labels=np.concatenate(labels) if labels else np.zeros(0, dtype=np.int64),
        videos=np.concatenate(owners) if owners else np.zeros(0, dtype=np.int64),
        durations=np.array([v.duration for v in videos], dtype=np.float64),
        label_ids=_positions(classes, listed, label_ids, protocol.ignored),
        ann_file=str(ann_file),
        subset='all' if name is None else name,
        sha256=hashlib.sha256(get(ann_file)).hexdigest(),
        merged=merged,
        unused=len(problems),
        ignored={label: ignored[label] for label in protocol.ignored if label not in classes})


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
        _TITLE, ann_file, 'subset', f'no video of subset {" or ".join(map(repr, names))}; '
        f'the file has {sorted(own.values())}')


def _find_classes(content: dict, ann_file: str, subset: Optional[str], protocol: Protocol,
                  label_ids: dict[str, int]) -> Sequence[str]:
    """Classes in the order of their labels, where the caller names none."""
    own = file_classes(content, ann_file)
    if own is not None:
        return own
    labels = {a['label'] for a in _raw_annotations(content['database'])}
    labels -= set(protocol.ignored)
    known = set(protocol.classes or ())
    if labels and not labels & known:  # other data than the protocol's
        return sorted(label_ids, key=label_ids.get) if label_ids else sorted(labels)
    judged = {a['label'] for a in _raw_annotations(content['database'], subset)}
    strange = sorted(judged - known - set(protocol.ignored))
    if strange and known:
        raise TALDataError.of(
            _TITLE, ann_file, 'label', f'{", ".join(map(repr, strange[:10]))}'
            f'{" ..." if len(strange) > 10 else ""}: no class of protocol {protocol.name!r}. List '
            "all classes under 'classes' in the file, or judge it by protocol 'custom'")
    return protocol.classes or ()


def _raw_annotations(database: dict, subset: Optional[str] = None) -> list[dict]:
    """Annotations that have a label, unchecked; of all subsets, or of one."""
    lists = [entry.get('annotations') for entry in database.values() if isinstance(entry, dict)
             and (subset is None or str(entry.get('subset')).lower() == subset.lower())]
    return [a for annotations in lists if isinstance(annotations, list) for a in annotations
            if isinstance(a, dict) and isinstance(a.get('label'), str)]


def _label_ids(database: dict, ignored: Sequence[str]) -> dict[str, int]:
    """``label_id`` of every label; empty unless all have one and they are one to one."""
    result: dict[str, int] = {}
    for annotation in _raw_annotations(database):
        label, label_id = annotation['label'], annotation.get('label_id')
        if isinstance(label_id, bool) or not isinstance(label_id, int):
            if label in ignored:
                continue
            return {}
        if result.setdefault(label, label_id) != label_id:
            return {}
    return result if len(set(result.values())) == len(result) else {}


def _positions(classes: Sequence[str], listed: Sequence[str], label_ids: dict[str, int],
               ignored: Sequence[str]) -> dict[int, int]:
    """Position in ``classes`` of every ``label_id``; IGNORED for labels that are ignored.

    Where the file's ids say nothing else, they are positions in ``listed``: the classes with those
    that are ignored among them.
    """
    index = {c: i for i, c in enumerate(classes)}
    order = {c: i for i, c in enumerate(listed)}
    ids = {c: i for c, i in label_ids.items() if c in order or c in ignored}
    if all(order[c] == i if c in order else i not in order.values() for c, i in ids.items()):
        ids.update(order)
    return {i: index.get(c, IGNORED) for c, i in ids.items()}


def _first_of_duplicates(segments: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(N,) bool, False where an earlier kept annotation is the same."""
    keep = np.ones(len(labels), dtype=bool)
    # Kept segments lie in cells of twice the tolerance, so that whatever is close to a segment is
    # in its own cell or in one beside it. A cell holds few: they are not close to each other.
    cells: dict[tuple, list] = {}
    places = np.floor(segments / (2 * DUPLICATE_TOLERANCE))
    rows = zip(labels.tolist(), places.tolist(), segments.tolist())
    for i, (label, (x, y), (start, end)) in enumerate(rows):
        keep[i] = not any(
            abs(start - other[0]) <= DUPLICATE_TOLERANCE
            and abs(end - other[1]) <= DUPLICATE_TOLERANCE
            for dx, dy in product((-1, 0, 1), repeat=2)
            for other in cells.get((label, x + dx, y + dy), ()))
        if keep[i]:
            cells.setdefault((label, x, y), []).append((start, end))
    return keep
