"""Reads and checks annotation files in the layout of ActionFormer and ActivityNet.

::

    {"classes": [...],                      # optional, see load_annotations
     "database": {
       "<video>": {
         "subset": "training", "duration": 12.5, "fps": 30.0,
         "feature_stride": 4, "feature_window": 16,                # optional, frames
         "annotations": [{"segment": [1.0, 3.5], "label": "Diving", "label_id": 7}]}}}

Segments and durations are in seconds. Every check names the file, the video and the field.
"""
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Optional, Union

from mmengine.fileio import list_from_file

from ..utils import Problem, TALDataError, matching_name, read_json
from ..utils.json_files import keep_duplicates, nearest, shown
from .annotation_checks import AnnotationChecker, VideoAnnotation

_TITLE = 'annotation file'
_LABELS = '.csv', '.tsv', '.eaf', '.xml'  # what `cltdr labels` reads, and is no JSON


def read_annotation_file(ann_file: str) -> dict:
    """Read an annotation file without looking at its videos.

    Args:
        ann_file (str): See :func:`.read_json`.

    Returns:
        dict: The parsed file; its ``database`` is a dict.

    Raises:
        TALDataError: If the file cannot be read, is no JSON, holds no ``database`` object, or
            holds two.
    """
    if str(ann_file).lower().endswith(_LABELS):
        raise TALDataError.of(_TITLE, ann_file, 'file', 'is no annotation file (.json): `cltdr '
                              'labels` makes one of it')
    content = read_json(ann_file, _TITLE, keep_duplicates)
    if 'database' not in content:
        hint = ': is it a result file?' if 'results' in content else ''
        raise TALDataError.of(_TITLE, ann_file, 'database',
                              f'is missing; the file has {sorted(content)[:10]}{hint}')
    if not isinstance(content['database'], dict):
        raise TALDataError.of(_TITLE, ann_file, 'database',
                              f'must be an object, got {type(content["database"]).__name__}')
    twice = getattr(content, 'duplicates', ())
    if twice:
        raise TALDataError([Problem(ann_file, None, key, 'given twice') for key in twice], _TITLE)
    return content


def file_classes(content: dict, ann_file: str) -> Optional[tuple[str, ...]]:
    """Class names that an annotation file lists itself under ``classes``.

    Args:
        content (dict): From :func:`read_annotation_file`.
        ann_file (str): Its path, for the message.

    Returns:
        Optional[tuple[str, ...]]: None when the file has no such list.

    Raises:
        TALDataError: If ``classes`` is not a list of different strings.
    """
    classes = content.get('classes')
    if classes is None:
        return None
    if (not isinstance(classes, list) or not all(isinstance(c, str) for c in classes)
            or len(set(classes)) != len(classes)):
        raise TALDataError.of(_TITLE, ann_file, 'classes', 'must be a list of different strings')
    return tuple(classes)


def read_class_file(path: str) -> list[str]:
    """Read class names from a text file, one a line; empty lines at the end do not count.

    Args:
        path (str): Path, or a URI of an MMEngine file back end.

    Returns:
        list[str]: The names, without blanks around them.

    Raises:
        TALDataError: If there is no such file, or it is no list of different names: a line is
            empty, a name is there twice, or the names are numbered.
    """
    bad = partial(TALDataError.of, 'classes', path)
    try:
        names = [line.strip() for line in list_from_file(path, encoding='utf-8-sig')]
    except (OSError, ValueError) as error:
        raise bad("metainfo['classes']", 'no text file of class names, one a line '
                  f'({type(error).__name__}); names themselves go in a list: classes=[{path!r}]'
                  ) from error
    while names and not names[-1]:
        names.pop()
    if not names:
        raise bad('file', 'names no class')
    first: dict[str, int] = {}
    for number, name in enumerate(names, 1):
        if not name:
            raise bad(f'line {number}', 'is empty, and other names follow')
        if first.setdefault(name, number) != number:
            raise bad(f'line {number}', f'{shown(name)} is a class already, in line {first[name]}')
    if all(re.match(r'\d+\s', name) for name in names):
        raise bad('line 1', f'must be a name alone, such as {shown(names[0].split(None, 1)[1])}; '
                  f'got {shown(names[0])}, and all lines begin with a number (names that are so '
                  'go in a list: classes=[...])')
    return names


def load_annotations(
    ann_file: str,
    classes: Optional[Sequence[str]] = None,
    subset: Union[str, Sequence[str], None] = None,
    **checks,
) -> tuple[list[VideoAnnotation], list[Problem], tuple[str, ...]]:
    """Read an annotation file and check the videos of some subsets.

    Args:
        ann_file (str): Path of the JSON file.
        classes (Sequence[str], optional): Class names. Defaults to None: the file's own
            ``classes`` list.
        subset (str or Sequence[str], optional): Subsets wanted, whatever their letter case.
            Defaults to None: all videos.
        **checks: Further arguments of :class:`AnnotationChecker`.

    Returns:
        tuple: The usable videos (list of VideoAnnotation, in the file's order), the problems
        found (list of Problem), and the class names (tuple of str).

    Raises:
        TALDataError: If the file as a whole cannot be used, names no classes when none are
            given, or has no video of the subset.
    """
    content = read_annotation_file(ann_file)
    if classes is None:
        classes = file_classes(content, ann_file)
        if classes is None:
            raise TALDataError.of(
                _TITLE, ann_file, 'classes',
                'no class names: give metainfo=dict(classes=[...]) or list them here')
    twice = [name for name, count in Counter(classes).items() if count > 1]
    if twice:
        raise TALDataError.of(_TITLE, ann_file, 'classes', f'are given twice: {shown(twice)}')
    database = content['database']
    checker = AnnotationChecker(ann_file, classes, **checks)
    for name in getattr(database, 'duplicates', ()):
        checker.note(name, 'database', 'duplicate video: the key is given twice')

    wanted = None
    if subset is not None:
        wanted = {s.lower() for s in ([subset] if isinstance(subset, str) else subset)}
    videos, seen = [], set()
    for name, entry in database.items():
        if wanted is not None and isinstance(entry, dict):
            own = entry.get('subset')
            if not isinstance(own, str):
                checker.note(name, 'subset', 'is missing' if own is None else
                             f'must be a string, got {shown(own)}')
                continue
            seen.add(own)
            if own.lower() not in wanted:
                continue
        video = checker.video(name, entry)
        if video is not None:
            videos.append(video)
    absent = sorted(wanted - {s.lower() for s in seen}) if wanted is not None else []
    if absent:
        checker.note(None, 'subset', f'no video of subset {absent}; the file has {sorted(seen)}')
        raise TALDataError(checker.problems, _TITLE)
    return videos, checker.problems, tuple(classes)


def load_timing(ann_file: str, videos: Mapping[str, Optional[float]],
                default_fps: Optional[float] = None) -> dict[str, VideoAnnotation]:
    """Read what inference needs of some videos: duration, rate, stride and window.

    Labels and the other videos of the file are not looked at.

    Args:
        ann_file (str): Path of the JSON file.
        videos (Mapping[str, Optional[float]]): Their names, and the frame rate that goes before
            the entry's, if there is one.
        default_fps (float, optional): See :class:`AnnotationChecker`. Defaults to None.

    Returns:
        dict[str, VideoAnnotation]: By name, without segments.

    Raises:
        TALDataError: If the file cannot be used, a video is not in it or its entry is bad.
    """
    database = read_annotation_file(ann_file)['database']
    checker = AnnotationChecker(ann_file, (), default_fps=default_fps)
    found = {}
    for name, fps in videos.items():
        checker.fps = fps
        try:
            own = matching_name(name, database)
        except ValueError as error:
            checker.note(name, 'database', str(error))
            continue
        if own is None:
            checker.note(name, 'database', 'there is no such video, but '
                         f'{nearest(name, tuple(database)) or "none at all"}')
        elif own in getattr(database, 'duplicates', ()):
            checker.note(name, 'database', 'duplicate video: the key is given twice')
        else:
            found[name] = checker.timing(own, database[own])
    if checker.problems:
        raise TALDataError(checker.problems, _TITLE)
    return found
