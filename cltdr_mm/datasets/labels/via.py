"""Reads labels in projects of the VGG Image Annotator 3 (VIA, video and audio annotator)."""
from collections import Counter
from typing import Any

from ...utils.json_files import shown
from ..converters.sources import Fields
from .names import file_of_url
from .rows import LabelFile, ReadOptions

_CHECKBOX = 2  # VIA's number for an attribute of which several options may hold


def read_via(found: LabelFile, content: dict, options: ReadOptions) -> None:
    """Read the temporal segments of a project, with the value of an attribute as their class.

    Args:
        found (LabelFile): Takes what is found.
        content (dict): The file.
        options (ReadOptions): ``tiers``, names of attributes.

    Raises:
        TALDataError: If a part of a project is missing, or it is not clear which attribute is
            meant.
    """
    project = found.fields(content)
    attributes = {key: found.fields(value, f'attribute[{key}]')
                  for key, value in project.object('attribute').items()}
    names = {key: fields.text('aname') for key, fields in attributes.items()}
    videos = _videos(found, project)
    metadata = project.object('metadata')
    counts = Counter({name: 0 for name in names.values()})
    for item in metadata.values():
        values = item.get('av') if isinstance(item, dict) else None
        counts.update(names[key] for key in (values if isinstance(values, dict) else ())
                      if key in names)
    chosen = found.chosen_tiers(counts, options.tiers, 'attributes')
    for key, item in metadata.items():
        with found.collecting():
            fields = found.fields(item, f'metadata[{key}]')
            values = fields.object('av')
            wanted = {name: value for name, value in values.items() if names.get(name) in chosen}
            if not wanted and values and options.tiers is not None:
                continue  # of attributes that were not asked for
            view = fields.text('vid')
            if view not in videos:
                raise fields.bad('vid', f'there is no view {shown(view)} of one file')
            fields.video = video = videos[view]
            start, end = _segment(fields)
            if not wanted:
                raise fields.bad('av', 'has no label')
            for name, value in wanted.items():
                for label in _labels(fields, attributes[name], value):
                    found.row(f'metadata[{key}]', video, start, end, label)


def _videos(found: LabelFile, project: Fields) -> dict[str, str]:
    """Files by view."""
    files, videos = project.object('file'), {}
    for key, view in project.object('view').items():
        with found.collecting():
            fields = found.fields(view, f'view[{key}]')
            ids = fields.items('fid_list')
            if len(ids) != 1 or not isinstance(ids[0], str) or ids[0] not in files:
                raise fields.bad('fid_list', f'must be one of the files, got {shown(ids)}')
            file = found.fields(files[ids[0]], f'file[{ids[0]}]')
            name = file_of_url(file.text('fname'))
            if not name:
                raise file.bad('fname', 'names no file')
            found.fact(name, f'view[{key}]')
            videos[key] = name
    return videos


def _segment(fields: Fields) -> tuple[float, float]:
    """Start and end in seconds; raises TALDataError if an item is no segment in time."""
    times, region = fields.items('z'), fields.values.get('xy')
    if len(times) != 2 or region:
        raise fields.bad('z', f'has {len(times)} times{" and a region in xy" if region else ""}: '
                         'this is no temporal segment; to read only some attributes, name them '
                         '(tiers)')
    return fields.segment('z')


def _labels(fields: Fields, attribute: Fields, value: Any) -> list[str]:
    """Classes that an attribute's value stands for: options, or what was typed."""
    if not isinstance(value, str):
        raise fields.bad('av', f'must have texts, got {shown(value)}')
    options = attribute.values.get('options')
    options = options if isinstance(options, dict) else {}
    several = attribute.values.get('type') == _CHECKBOX
    keys = [key for key in value.split(',') if key] if several else [value]
    labels = [options.get(key, key) for key in keys]
    if not labels or not all(isinstance(label, str) for label in labels):
        raise fields.bad('av', f'must name options of {shown(attribute.values["aname"])}, got '
                         f'{shown(value)}')
    return labels
