"""Reads labels in ActivityNet's JSON layout, which is that of our annotation files."""
from typing import Optional

from ..converters.sources import Fields
from .rows import LabelFile, ReadOptions


def read_activitynet(found: LabelFile, content: dict, options: ReadOptions) -> None:
    """Read a ``database`` of videos; numbers may be in quotes.

    Args:
        found (LabelFile): Takes what is found.
        content (dict): The file.
        options (ReadOptions): ``group``, a field of the entries.

    Raises:
        TALDataError: If there is no database.
    """
    found.names_are_paths = False
    database = found.fields(content).object('database')
    for name, entry in database.items():
        with found.collecting():
            entry = found.fields(entry, video=name)
            with found.collecting():
                _read_facts(found, name, entry, options.group)
            items = [] if entry.values.get('annotations') is None else entry.items('annotations')
            for position, item in enumerate(items):
                with found.collecting():
                    _read_annotation(found, name, f'annotations[{position}]', item)


def _read_facts(found: LabelFile, video: str, entry: Fields, group: Optional[str]) -> None:
    facts = {field: float(entry.number(field, quoted=True)) for field in ('duration', 'fps')
             if field in entry.values}
    if entry.values.get('subset') is not None:
        facts['subset'] = entry.text('subset')
    found.fact(video, 'entry', group=found.group_of(entry, group), **facts)


def _read_annotation(found: LabelFile, video: str, place: str, item: dict) -> None:
    fields = found.fields(item, place, video)
    start, end = fields.segment(quoted=True)
    found.row(place, video, float(start), float(end), fields.text('label'))
