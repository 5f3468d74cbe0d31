"""What runs at each moment of a video, and subtitles that say it."""
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Union

from ..utils import atomic_path

MAX_LABELS = 3


def running_spans(detections: Sequence[dict], max_labels: int = MAX_LABELS) -> list[tuple]:
    """Cut a video where what runs changes.

    Args:
        detections (Sequence[dict]): ``segment`` in seconds, ``score`` and, if it has a class,
            ``label`` of each.
        max_labels (int): How many are named at a moment, the strongest; of one class the
            strongest only. Defaults to 3.

    Returns:
        list[tuple[float, float, tuple]]: Start and end in seconds, and ``(label, score)`` of what
        runs between them by falling score; in order, without the stretches where nothing runs.
    """
    order = sorted(detections, key=lambda detection: -detection['score'])
    edges: dict[float, list] = {}  # what begins and ends, as places in `order`
    for place, detection in enumerate(order):
        start, end = detection['segment']
        if end > start:
            edges.setdefault(start, []).append(place)
            edges.setdefault(end, []).append(place)
    spans: list[tuple] = []
    running: set[int] = set()
    moments = sorted(edges)
    for start, end in zip(moments, moments[1:]):
        running.symmetric_difference_update(edges[start])
        rows: dict[str, float] = {}
        for place in sorted(running):
            rows.setdefault(order[place].get('label', 'proposal'), order[place]['score'])
        said = tuple(rows.items())[:max_labels]
        if spans and spans[-1][1:] == (start, said):
            spans[-1] = (spans[-1][0], end, said)
        elif said:
            spans.append((start, end, said))
    return spans


def write_subtitles(path: Union[str, os.PathLike], detections: Sequence[dict],
                    max_labels: int = MAX_LABELS) -> int:
    """Write subtitles (SubRip, ``.srt``), which players show that find them beside the video.

    Args:
        path (str): The file.
        detections (Sequence[dict]): See :func:`running_spans`.
        max_labels (int): Likewise. Defaults to 3.

    Returns:
        int: How many subtitles there are.
    """
    blocks = []
    for start, end, rows in running_spans(detections, max_labels):
        times = [_time(start), _time(end)]
        if times[0] != times[1]:
            lines = [f'{" ".join(label.split())} {score:.2f}' for label, score in rows]
            blocks.append('\n'.join([str(len(blocks) + 1), ' --> '.join(times), *lines]) + '\n')
    with atomic_path(path) as temporary:
        Path(temporary).write_bytes('\n'.join(blocks).encode('utf-8', 'replace'))
    return len(blocks)


def _time(seconds: float) -> str:
    whole, millis = divmod(round(1000 * max(seconds, 0.)), 1000)
    return f'{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d},{millis:03d}'
