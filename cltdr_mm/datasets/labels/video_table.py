"""Reads what is known of videos: their durations and frame rates, from a table or annotations."""
import os
from typing import Any, Optional, Union

from ...utils import TALDataError
from .activitynet import read_activitynet
from .formats import parse
from .names import video_name
from .numbers import NumberReader, read_cell
from .rows import TITLE, LabelFile, ReadOptions, VideoFacts
from .tables import find_columns, full_rows, require_columns


def read_videos(path: Union[str, os.PathLike],
                group: Optional[str] = None) -> dict[str, VideoFacts]:
    """Read what is known of videos from a table, or from an annotation file.

    Args:
        path (str): Table with a column of videos, and some of ``duration`` (seconds), ``fps``,
            ``subset``; or JSON in the layout of annotation files.
        group (str, optional): Column, or field of entries, with the group. Defaults to None.

    Returns:
        dict[str, VideoFacts]: By name of the video.

    Raises:
        TALDataError: If the file cannot be used; with all its problems.
    """
    found = LabelFile(str(path))
    if str(path).lower().endswith(('.json', '.json.gz')):
        read_activitynet(found, parse(found.path, 'object'), ReadOptions(group=group))
    else:
        _read_video_table(found, group)
    if not found.problems and not found.videos:
        raise found.bad('file', 'there is no video')
    if found.problems:
        raise TALDataError(found.problems, TITLE)
    return found.videos


def _read_video_table(found: LabelFile, group: Optional[str]) -> None:
    table = parse(found.path, 'table')
    names = ('video', 'duration', 'fps', 'subset', 'group')
    # the group may be in the file of labels instead
    given = dict(group=group) if group in table.header else None
    columns = find_columns(found, table.header, names, given, can_say=False)
    require_columns(found, table.header, columns, ['video'], can_say=False)
    numbers = NumberReader(table.delimiter)
    for place, cells in full_rows(found, table):
        with found.collecting():
            row = found.fields(cells, place)
            row.video = name = video_name(row.text(columns['video']))
            if name in found.videos:
                raise row.bad(columns['video'], 'has a row before this one')
            facts: dict[str, Any] = {}
            for field in names[1:]:
                text = cells.get(columns.get(field, ''), '')
                if text and field in ('duration', 'fps'):
                    read = numbers.seconds if field == 'duration' else numbers.number
                    facts[field] = read_cell(row, columns[field], read)
                elif text:
                    facts[field] = text
            found.fact(name, place, **facts)
