"""What a report says, as JSON, and the page of HTML that shows it."""
import html
import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Optional

import numpy as np

from ...datasets.labels import VideoFacts
from ...utils import TALDataError
from ..files import TimelineSource
from ..layout import NO_CLASS
from ..style import OKABE_ITO

_FOLDER = Path(__file__).parent
_SCRIPTS = ('model.js', 'timeline.js', 'page.js', 'actions.js')
_SHOWN_AT_FIRST = 20  # detections of a video, on average, where no labels say how many there are


def report_content(source: TimelineSource,
                   links: Optional[Mapping[str, str]] = None,
                   facts: Optional[Mapping[str, VideoFacts]] = None,
                   min_score: Optional[float] = None) -> dict:
    """Gather what a report shows: videos of the results first, then the other annotated ones.

    Args:
        source (TimelineSource): Detections, and labels if there are any.
        links (Mapping[str, str], optional): Address of the video file by name, as seen from the
            page. Defaults to None.
        facts (Mapping[str, VideoFacts], optional): Durations and frame rates of videos, where the
            annotations do not say them. Defaults to None.
        min_score (float, optional): Where the slider of scores stands at first. Defaults to None:
            it leaves half as many detections again as there are labels in the videos of the
            results, or 20 a video where there are none.

    Returns:
        dict: What ``model.js`` reads. Segments are ``[start, end, class, ...]`` in seconds and
        positions in ``classes``; labels are as the annotation file has them, with what else it
        says of them, detections are rounded to milliseconds and end with their scores.

    Raises:
        TALDataError: If there is no video, or an entry cannot be used; names file, video and
            field.
    """
    links, facts = links or {}, facts or {}
    results = source.results or {}
    names = [*results, *(name for name in source.database if name not in results)]
    if not names:
        raise TALDataError.of('report', source.result_file or source.annotation_file, 'results',
                              'there is no video')
    classes = list(source.classes)
    videos = []
    for name in names:
        truth, detected, duration = source.load(name)
        entry = source.database.get(name, {})
        try:
            json.dumps(entry, allow_nan=False)
        except ValueError as error:
            raise TALDataError.of('report', source.annotation_file, 'entry',
                                  'holds NaN or infinity', name) from error
        known = facts.get(name, VideoFacts())
        duration = known.duration if duration is None else duration
        rest = dict(dict(duration=duration, fps=known.fps),
                    **{k: v for k, v in entry.items() if k not in ('annotations', 'duration')})
        found = [] if detected is None else [
            [round(start, 3), round(end, 3), _class(classes, label), round(score, 4)]
            for (start, end), label, score in zip(
                detected.segments.tolist(), detected.labels.tolist(), detected.scores.tolist())]
        videos.append(dict(
            name=name, duration=duration, link=links.get(name), detected=name in results,
            annotated=truth is not None, labelled=entry.get('annotations') is not None,
            entry={k: v for k, v in rest.items() if v is not None},
            labels=_labels(entry, truth), found=found))
    if min_score is None:
        min_score = _first_score(videos)
    rest = {k: v for k, v in source.content.items() if k not in ('classes', 'database')}
    return dict(classes=classes, colors=list(OKABE_ITO), rest=rest, start_score=min_score,
                videos=videos)


def _class(classes: list, label: int) -> int:
    """Position of a label; proposals, which have none, get one of their own."""
    if label != NO_CLASS:
        return label
    if 'proposal' not in classes:
        classes.append('proposal')
    return classes.index('proposal')


def _labels(entry: dict, truth) -> list:
    """Labels of a video with all that the annotation file says of them."""
    if truth is None:
        return []
    rests = [{k: v for k, v in item.items() if k not in ('segment', 'label', 'label_id')}
             for item in entry.get('annotations') or ()]
    rows = zip(truth.segments.tolist(), truth.labels.tolist(), rests)
    return sorted(([start, end, label, *([rest] if rest else [])]
                   for (start, end), label, rest in rows), key=lambda row: row[:2])


def _first_score(videos: list) -> float:
    """Where the slider stands when nobody says it."""
    scores = np.sort([row[3] for video in videos for row in video['found']])[::-1]
    shown = [video for video in videos if video['detected']]
    labels = sum(len(video['labels']) for video in shown)
    wanted = math.ceil(1.5 * labels) or _SHOWN_AT_FIRST * len(shown)
    if len(scores) <= wanted:
        return 0.
    return max(0., float(scores[wanted - 1]))


def report_page(content: Mapping[str, Any], title: str) -> str:
    """The page, with the library that draws it: it needs no network and no other file.

    Args:
        content (Mapping[str, Any]): From :func:`report_content`.
        title (str): What it is about, any text.

    Returns:
        str: HTML.

    Raises:
        ImportError: If plotly is not installed.
        ValueError: If the content holds NaN or infinity, which is no JSON.
    """
    try:
        from plotly.offline import get_plotlyjs
    except ImportError as error:
        raise ImportError('a report is drawn by plotly: pip install "cltdr-mm[report]"') from error
    # in an element of a script only `<` could end it, or begin a comment
    data = json.dumps(content, allow_nan=False, separators=(',', ':')).replace('<', '\\u003c')
    parts = dict(
        title=html.escape(title), style=_read('report.css'), data=data, plotly=get_plotlyjs(),
        script='\n'.join(_read(name).replace("'use strict';\n", '') for name in _SCRIPTS))
    return re.sub(r'\{\{(\w+)\}\}', lambda match: parts[match[1]], _read('report.html'))


def _read(name: str) -> str:
    return (_FOLDER / name).read_text('utf-8')
