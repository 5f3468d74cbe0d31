"""Checks labelled segments against one another and against their videos, all before they are used.

Problems are what no data set can be made of; remarks are what may be meant.
"""
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from ...utils import Problem
from ...utils.json_files import shown
from .rows import LabelRow, VideoFacts

TOLERANCE = 0.1  # seconds that a segment may leave its video, as in TALDataset
_SAME = 0.001  # seconds that times may differ and be the same
_LISTED = 5  # examples in a remark


def check_times(rows: Sequence[LabelRow], videos: Mapping[str, VideoFacts]) -> list[Problem]:
    """Find segments that end before they start, or leave their video.

    Args:
        rows (Sequence[LabelRow]): The segments, in seconds.
        videos (Mapping[str, VideoFacts]): Their videos; durations that are not known are not
            looked at.
    """
    problems = []
    for row in rows:
        def note(message: str, row: LabelRow = row) -> None:
            problems.append(Problem(row.file, row.video, row.place, message))

        if row.end <= row.start:
            note(f'end {row.end:g} s is not after start {row.start:g} s')
            continue
        if row.start < -TOLERANCE:
            note(f'starts at {row.start:g} s, before the video')
        duration = videos[row.video].duration
        if duration is not None and row.end > duration + TOLERANCE:
            note(f'end {row.end:g} s is beyond the duration {duration:g} s (tolerance '
                 f'{TOLERANCE:g} s)')
    return problems


def frames_hint(rows: Sequence[LabelRow], videos: Mapping[str, VideoFacts]) -> str:
    """Say what to do where times in seconds leave the videos, but would not as frame numbers.

    Args:
        rows (Sequence[LabelRow]): The segments, those in frames still in frames.
        videos (Mapping[str, VideoFacts]): Their videos.

    Returns:
        str: A hint; '' where it is not so, or not known.
    """
    timed = [(row, videos[row.video]) for row in rows if not row.in_frames]
    if not all(known.duration and known.fps for _, known in timed):
        return ''
    if all(row.end <= known.duration + TOLERANCE for row, known in timed) \
            or any(row.end > known.duration * known.fps for row, known in timed):
        return ''
    return ('all times would fit if they were frame numbers, which go into columns start_frame '
            'and end_frame (or name the columns: --columns start_frame=... end_frame=...)')


def check_duplicates(rows: Sequence[LabelRow]) -> list[Problem]:
    """Find segments that are there twice, to the millisecond."""
    first: dict[tuple, LabelRow] = {}
    problems = []
    for row in rows:
        before = first.setdefault(_key(row), row)
        if before is not row:
            place = before.place if before.file == row.file else f'{before.place} of {before.file}'
            problems.append(Problem(
                row.file, row.video, row.place,
                f'{shown(row.label)} from {row.start:g} to {row.end:g} s is there already, in '
                f'{place}'))
    return problems


def check_facts(videos: Mapping[str, VideoFacts], file: str) -> list[Problem]:
    """Find videos whose duration or frame rate is not known.

    Args:
        videos (Mapping[str, VideoFacts]): All videos.
        file (str): Named in the problems.
    """
    return [Problem(file, name, field, 'is not known: give the videos, a table of them, or one '
                    'value for all') for name, facts in videos.items()
            for field in ('duration', 'fps') if getattr(facts, field) is None]


def remarks_on(rows: Sequence[LabelRow], videos: Mapping[str, VideoFacts]) -> list[str]:
    """Say what may be meant or not: overlaps of a class, similar labels, videos without labels.

    Args:
        rows (Sequence[LabelRow]): The segments, in seconds.
        videos (Mapping[str, VideoFacts]): All videos.

    Returns:
        list[str]: A line each.
    """
    remarks = []
    overlaps = _overlaps(rows)
    if overlaps:
        remarks.append(f'{len(overlaps)} segments overlap another one of their class: '
                       + _some(f'{a.video}: {shown(a.label)} in {a.place} and {b.place}'
                               for a, b in overlaps))
    counts = Counter(row.label for row in rows)
    similar = defaultdict(list)
    for label in counts:
        similar[''.join(label.casefold().split())].append(label)
    for labels in similar.values():
        if len(labels) > 1:
            remarks.append('labels that differ in case or blanks only are different classes: '
                           + ', '.join(f'{shown(label)} ({counts[label]})' for label in labels))
    labelled = {row.video for row in rows}
    empty = [name for name in videos if name not in labelled]
    if empty:
        remarks.append(f'{len(empty)} videos without labels are kept as background: '
                       + _some(empty))
    return remarks


def _key(row: LabelRow) -> tuple:
    return row.video, row.label, round(row.start, 3), round(row.end, 3)  # to the millisecond


def _overlaps(rows: Sequence[LabelRow]) -> list[tuple[LabelRow, LabelRow]]:
    """Segments that begin before one of the same video and class ends, with that one."""
    sequences = defaultdict(list)
    for row in rows:
        sequences[row.video, row.label].append(row)
    found = []
    for sequence in sequences.values():
        sequence.sort(key=lambda row: row.start)
        last = sequence[0]
        for row in sequence[1:]:
            if row.start < last.end - _SAME:
                found.append((last, row))
            last = max(last, row, key=lambda row: row.end)
    return found


def _some(items: Iterable[str]) -> str:
    items = list(items)
    return '; '.join(items[:_LISTED]) + ('; ...' if len(items) > _LISTED else '')
